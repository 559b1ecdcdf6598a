//! The tables together, and what stands in them.

use kind_diagnosis::signatures;

use super::entry::Entry;
use super::explanation::Explanation;
use super::{builds, clusters, engines, images, nodes};
use crate::Code;

const TABLES: [&[Entry]; 5] = [
    clusters::TABLE,
    nodes::TABLE,
    engines::TABLE,
    images::TABLE,
    builds::TABLE,
];

/// A code without an entry, or with two, does not compile.
const _: () = {
    let mut entries = [0; Code::ALL.len()];
    let mut table = 0;
    while table < TABLES.len() {
        let mut index = 0;
        while index < TABLES[table].len() {
            entries[TABLES[table][index].code as usize] += 1;
            index += 1;
        }
        table += 1;
    }
    let mut code = 0;
    while code < entries.len() {
        assert!(
            entries[code] == 1,
            "every code has one entry in one of the tables"
        );
        code += 1;
    }
};

impl Code {
    /// What it means and what to do about it.
    pub fn explanation(self) -> Explanation {
        let mut entries = TABLES.into_iter().flatten();
        let entry = entries.find(|entry| entry.code == self);
        entry.expect("every code has an entry").into()
    }
}

/// What all codes mean, and then what the causes mean that are found in a node's logs.
pub fn explanations() -> Vec<Explanation> {
    let codes = Code::ALL.iter().map(|code| code.explanation());
    let causes = signatures().iter().map(Explanation::from);
    let unknown = [
        Explanation::of_unknown_cause(),
        Explanation::of_last_error(),
        Explanation::of_kubeadm_failure(),
    ];
    codes.chain(causes).chain(unknown).collect()
}

/// What a code or the id of a cause means; codes in any case and with or without `KIND-`.
///
/// ```
/// let explanation = kind::explain("cluster-exists").unwrap();
/// assert_eq!(explanation.topic, "KIND-CLUSTER-EXISTS");
/// assert_eq!(kind::explain("unknown-flag").unwrap().topic, "unknown-flag");
/// assert_eq!(kind::explain("nothing"), None);
/// ```
pub fn explain(topic: &str) -> Option<Explanation> {
    // As it is spelled first: an id of a cause may be a code without its beginning.
    let mut known = explanations().into_iter();
    let spelled = known.find(|explanation| explanation.topic == topic);
    spelled.or_else(|| topic.parse::<Code>().ok().map(Code::explanation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_explanation_is_whole() {
        for explanation in explanations() {
            let Explanation {
                topic,
                title,
                meaning,
                appears,
                remedy,
                example,
            } = &explanation;
            for text in [title, meaning, appears, remedy, example] {
                assert!(!text.is_empty() && !text.contains('\n'), "{topic}: {text}");
            }
            assert_eq!(explain(topic).as_ref(), Some(&explanation));
        }
    }
}
