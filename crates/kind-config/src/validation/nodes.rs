//! Single nodes.

use super::ports;
use crate::error::{Aggregate, Finding, Spot, choice};
use crate::model::{Cluster, Node, Role, Taint, TaintEffect};

/// One finding for each node that has problems, as kind has it.
pub(super) fn findings(cluster: &Cluster) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, node) in cluster.nodes.iter().enumerate() {
        let spots = problems(node, &format!("nodes[{index}]"));
        if !spots.is_empty() {
            let messages: Vec<&str> = spots.iter().map(|spot| spot.message.as_str()).collect();
            let message = format!(
                "invalid configuration for node {index}: {}",
                Aggregate(&messages)
            );
            findings.push(Finding::new(message, spots));
        }
    }
    findings
}

fn problems(node: &Node, path: &str) -> Vec<Spot> {
    let mut problems = Vec::new();
    if let Role::Unknown(word) = &node.role {
        let hint = Some(choice(word, Role::WORDS));
        let message = format!("{word:?} is not a valid node role");
        problems.push(Spot::new(format!("{path}.role"), message).hint(hint));
    }
    if node.image.is_empty() {
        let field = format!("{path}.image");
        problems.push(Spot::new(field, "image is a required field"));
    }
    for (index, mapping) in node.extra_port_mappings.iter().enumerate() {
        for (field, port) in [
            ("hostPort", mapping.host_port),
            ("containerPort", mapping.container_port),
        ] {
            if let Err(problem) = ports::check_port(port) {
                let place = format!("{path}.extraPortMappings[{index}].{field}");
                let message = format!("invalid {field}: {problem}");
                problems.push(Spot::new(place, message).hint(Some("ports are 1 to 65535")));
            }
        }
    }
    if let Err((index, problem)) = ports::check_mappings(&node.extra_port_mappings) {
        let place = format!("{path}.extraPortMappings[{index}]");
        problems.push(Spot::new(place, format!("invalid portMapping: {problem}")));
    }
    for (index, taint) in node.taints.iter().flatten().enumerate() {
        problems.extend(taint_problem(taint, &format!("{path}.taints[{index}]")));
    }
    problems.extend(node.resources.problems(&format!("{path}.resources")));
    for name in node.env.keys().filter(|name| !is_variable(name)) {
        let message = format!("invalid env: {name:?} is not the name of a variable");
        problems.push(Spot::new(format!("{path}.env"), message));
    }
    problems
}

fn taint_problem(taint: &Taint, path: &str) -> Option<Spot> {
    if let TaintEffect::Unknown(word) = &taint.effect {
        let hint = Some(choice(word, TaintEffect::WORDS));
        let message = format!("invalid taint effect: {word}");
        return Some(Spot::new(format!("{path}.effect"), message).hint(hint));
    }
    taint
        .key
        .is_empty()
        .then(|| Spot::new(path, "invalid taint: it has no key"))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}
