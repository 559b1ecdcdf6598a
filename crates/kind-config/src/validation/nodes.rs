//! Single nodes.

use super::{labels, mounts, names, ports};
use crate::error::{Aggregate, FieldError, ValidationError, choice_hint};
use crate::model::{Cluster, Node, Role, Taint, TaintEffect};

/// One finding for each node that has problems, as kind has it.
pub(super) fn validate_nodes(cluster: &Cluster) -> Vec<ValidationError> {
    let mut findings = Vec::new();
    for (index, node) in cluster.nodes.iter().enumerate() {
        let path = format!("nodes[{index}]");
        let mut field_errors = node_problems(node, &path);
        field_errors.extend(labels::label_problems(cluster, node, &path));
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
    problems.extend(mounts::mount_problems(node, path));
    problems.extend(taint_problems(
        node.taints.as_deref().unwrap_or_default(),
        path,
    ));
    problems.extend(node.resources.problems(&format!("{path}.resources")));
    for name in node.env.keys().filter(|name| !is_variable(name)) {
        let message = format!("invalid env: {name:?} is not the name of a variable");
        problems.push(FieldError::new(format!("{path}.env"), message));
    }
    problems
}

/// What is wrong with a node's taints, with which it does not register itself.
pub fn node_taints_problem(taints: &[Taint]) -> Option<String> {
    let first = taint_problems(taints, "").into_iter().next();
    first.map(|problem| problem.message)
}

fn taint_problems(taints: &[Taint], path: &str) -> Vec<FieldError> {
    let indexed = taints.iter().enumerate();
    let problems = indexed.flat_map(|(index, taint)| {
        let place = format!("{path}.taints[{index}]");
        let problem = taint_problem(taint, &place).into_iter();
        problem.chain(repeated_taint(&taints[..index], taint, &place))
    });
    problems.collect()
}

/// As `validateNodeTaints` of Kubernetes' `pkg/apis/core/validation` has it.
fn taint_problem(taint: &Taint, path: &str) -> Option<FieldError> {
    if let TaintEffect::Unknown(word) = &taint.effect {
        let hint = Some(choice_hint(word, TaintEffect::WORDS));
        let message = format!("invalid taint effect: {word}");
        return Some(FieldError::new(format!("{path}.effect"), message).hint(hint));
    }
    if taint.key.is_empty() {
        return Some(FieldError::new(path, "invalid taint: it has no key"));
    }
    let parts = [
        ("key", &taint.key, names::qualified_name_problem(&taint.key)),
        (
            "value",
            &taint.value,
            names::label_value_problem(&taint.value),
        ),
    ];
    parts.into_iter().find_map(|(part, text, problem)| {
        let message = format!("invalid taint {part} {text:?}: {}", problem?);
        Some(FieldError::new(format!("{path}.{part}"), message))
    })
}

/// Taints must be unique by key and effect: `validateNodeTaints` of Kubernetes' `pkg/apis/core/validation`.
fn repeated_taint(before: &[Taint], taint: &Taint, path: &str) -> Option<FieldError> {
    let same = |other: &Taint| (&other.key, &other.effect) == (&taint.key, &taint.effect);
    before.iter().any(same).then(|| {
        let (key, effect) = (&taint.key, taint.effect.as_str());
        let message = format!("invalid taint: {key} with the effect {effect} stands there twice");
        FieldError::new(path, message).hint(Some("leave out one of them"))
    })
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}
