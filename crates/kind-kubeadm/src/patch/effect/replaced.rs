//! Arguments that a later patch takes from an earlier one.

use super::arguments::{COMPONENTS, named_arguments};
use super::candidate::Candidate;
use super::level::Level;
use super::rules;

const ETCD: (&str, &[&str]) = ("ClusterConfiguration", &["etcd", "local", "extraArgs"]);

/// Arguments to which an earlier patch of the same level gives another value: where each stands, and what becomes of it.
pub(super) fn replaced_arguments(candidate: &Candidate, level: &Level) -> Vec<(String, String)> {
    let before = level.candidates.iter();
    let before = before.take_while(|other| !std::ptr::eq(*other, candidate));
    let before: Vec<_> = before
        .filter(|other| other.target.kind == candidate.target.kind)
        .filter(|other| rules::useless_because(other, level).is_none())
        .collect();
    let places = COMPONENTS.iter().chain([&ETCD]);
    let places = places.filter(|(kind, _)| *kind == candidate.target.kind);
    let arguments = places.flat_map(|(_, path)| {
        let arguments = candidate.value(path).map(named_arguments);
        let arguments = arguments.into_iter().flatten();
        arguments.map(move |(name, value)| (*path, name, value))
    });
    arguments
        .filter_map(|(path, name, value)| {
            let other = before.iter().rev().find(|other| {
                let present = other.value(path).map(named_arguments).unwrap_or_default();
                let mut present = present.into_iter();
                let same = present.find(|(known, _)| *known == name);
                same.is_some_and(|(_, present)| present != value)
            })?;
            let place = path.join(".");
            let reason = format!("{name} replaces the value of {}", other.field);
            Some((place, reason))
        })
        .collect()
}
