//! Single nodes.

use super::ports;
use crate::error::{Aggregate, FieldError, ValidationError, choice_hint};
use crate::model::{Cluster, Node, Role, Taint, TaintEffect};

/// One finding for each node that has problems, as kind has it.
pub(super) fn validate_nodes(cluster: &Cluster) -> Vec<ValidationError> {
    let mut findings = Vec::new();
    for (index, node) in cluster.nodes.iter().enumerate() {
        let field_errors = node_problems(node, &format!("nodes[{index}]"));
        if !field_errors.is_empty() {
            let messages: Vec<&str> = field_errors
                .iter()
                .map(|field_error| field_error.message.as_str())
                .collect();
            let message = format!(
                "invalid configuration for node {index}: {}",
                Aggregate(&messages)
            );
            findings.push(ValidationError::new(message, field_errors));
        }
    }
    findings
}

fn node_problems(node: &Node, path: &str) -> Vec<FieldError> {
    let mut problems = Vec::new();
    if let Role::Unknown(word) = &node.role {
        let hint = Some(choice_hint(word, Role::WORDS));
        let message = format!("{word:?} is not a valid node role");
        problems.push(FieldError::new(format!("{path}.role"), message).hint(hint));
    }
    if node.image.is_empty() {
        let field = format!("{path}.image");
        problems.push(FieldError::new(field, "image is a required field"));
    }
    for (index, mapping) in node.extra_port_mappings.iter().enumerate() {
        for (field, port) in [
            ("hostPort", mapping.host_port),
            ("containerPort", mapping.container_port),
        ] {
            if let Err(problem) = ports::check_port(port) {
                let place = format!("{path}.extraPortMappings[{index}].{field}");
                let message = format!("invalid {field}: {problem}");
                problems.push(FieldError::new(place, message).hint(Some("ports are 1 to 65535")));
            }
        }
    }
    if let Err((index, problem)) = ports::check_mappings(&node.extra_port_mappings) {
        let place = format!("{path}.extraPortMappings[{index}]");
        problems.push(FieldError::new(
            place,
            format!("invalid portMapping: {problem}"),
        ));
    }
    for (index, taint) in node.taints.iter().flatten().enumerate() {
        problems.extend(taint_problem(taint, &format!("{path}.taints[{index}]")));
    }
    problems.extend(node.resources.problems(&format!("{path}.resources")));
    for name in node.env.keys().filter(|name| !is_variable(name)) {
        let message = format!("invalid env: {name:?} is not the name of a variable");
        problems.push(FieldError::new(format!("{path}.env"), message));
    }
    problems
}

fn taint_problem(taint: &Taint, path: &str) -> Option<FieldError> {
    if let TaintEffect::Unknown(word) = &taint.effect {
        let hint = Some(choice_hint(word, TaintEffect::WORDS));
        let message = format!("invalid taint effect: {word}");
        return Some(FieldError::new(format!("{path}.effect"), message).hint(hint));
    }
    taint
        .key
        .is_empty()
        .then(|| FieldError::new(path, "invalid taint: it has no key"))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}
