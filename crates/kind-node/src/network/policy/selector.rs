//! Selectors of labels.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// Labels of an object.
pub(super) type Labels = BTreeMap<String, String>;

/// Requirements on labels, all of which must be met. Without any, everything is selected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    demand: Demand,
}

/// What is demanded of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Demand {
    In(Vec<String>),
    /// Or it is not there.
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
    /// An operator that nobody knows.
    Unknown,
}

impl Selector {
    /// The selector of the API.
    pub(super) fn new(selector: LabelSelector) -> Self {
        let labels = selector.match_labels.unwrap_or_default().into_iter();
        let labels = labels.map(|(key, value)| Requirement {
            key,
            demand: Demand::In(vec![value]),
        });
        let expressions = selector.match_expressions.unwrap_or_default().into_iter();
        let expressions = expressions.map(|expression| {
            let values = expression.values.unwrap_or_default();
            let demand = match expression.operator.as_str() {
                "In" => Demand::In(values),
                "NotIn" => Demand::NotIn(values),
                "Exists" => Demand::Exists,
                "DoesNotExist" => Demand::DoesNotExist,
                _ => Demand::Unknown,
            };
            Requirement {
                key: expression.key,
                demand,
            }
        });
        Self(labels.chain(expressions).collect())
    }

    /// Tells whether an object with these labels is selected.
    pub(super) fn selects(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| requirement.met_by(labels))
    }
}

impl Requirement {
    fn met_by(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match &self.demand {
            Demand::In(values) => value.is_some_and(|value| values.contains(value)),
            Demand::NotIn(values) => !value.is_some_and(|value| values.contains(value)),
            Demand::Exists => value.is_some(),
            Demand::DoesNotExist => value.is_none(),
            Demand::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn selects(selector: Value, labels: Value) -> bool {
        let selector = Selector::new(serde_json::from_value(selector).unwrap());
        selector.selects(&serde_json::from_value(labels).unwrap())
    }

    #[test]
    fn every_operator_as_the_api_defines_it() {
        let expression = |operator: &str, values: Value| json!({ "matchExpressions": [{ "key": "a", "operator": operator, "values": values }] });
        for (selector, with_x, with_z, without) in [
            (json!({}), true, true, true),
            (json!({ "matchLabels": { "a": "x" } }), true, false, false),
            (expression("In", json!(["x", "y"])), true, false, false),
            (expression("NotIn", json!(["x", "y"])), false, true, true),
            (expression("Exists", json!(null)), true, true, false),
            (expression("DoesNotExist", json!(null)), false, false, true),
            (expression("Gt", json!(["x"])), false, false, false),
        ] {
            let found = [
                json!({ "a": "x" }),
                json!({ "a": "z" }),
                json!({ "b": "x" }),
            ]
            .map(|labels| selects(selector.clone(), labels));
            assert_eq!(found, [with_x, with_z, without], "{selector}");
        }
    }

    #[test]
    fn all_requirements_must_be_met() {
        let selector = json!({
            "matchLabels": { "a": "x" },
            "matchExpressions": [{ "key": "b", "operator": "Exists" }],
        });
        assert!(selects(selector.clone(), json!({ "a": "x", "b": "" })));
        assert!(!selects(selector, json!({ "a": "x" })));
    }
}
