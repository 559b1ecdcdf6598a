//! Names that an import has made although it failed: of images whose layers the node does not have.

use std::collections::BTreeSet;

use kind_engine::Engine;
use kind_image::archive::ImageName;

use super::inventory::Inventory;
use super::job::Job;
use crate::Result;
use crate::node::read_output;

/// What is done about a name.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    /// It is taken away.
    Remove(String),
    /// It means again what this other name means.
    Restore { name: String, from: String },
}

/// Takes back the names of a failed import, and gives those their meaning back that the node had before.
///
/// # Errors
/// The node does not do that.
pub(super) fn remove_new_names(engine: &dyn Engine, job: &Job<'_>) -> Result<()> {
    let node = &job.target.name;
    let before = &job.target.inventory;
    let now = Inventory::query_node(engine, node)?;
    for change in find_changes(&names_of(job), before, &now) {
        let words = match &change {
            Change::Remove(name) => vec!["rm", name],
            Change::Restore { name, from } => vec!["tag", "--force", from, name],
        };
        let command = [&["ctr", "--namespace=k8s.io", "images"], &words[..]].concat();
        read_output(engine, node, &command)?;
    }
    Ok(())
}

/// Full names of a job's images, then their ids, which follow the names: the node's CRI makes them.
fn names_of(job: &Job<'_>) -> Vec<String> {
    let images = job.images.iter();
    let names = images.clone().flat_map(|image| image.names());
    let names = names.filter_map(|name| match name {
        ImageName::Full(name) => Some(name.to_string()),
        ImageName::Tag(_) => None,
    });
    names
        .chain(images.map(|image| image.id().to_string()))
        .collect()
}

/// What must be done so that names mean what they meant before.
fn find_changes(names: &[String], before: &Inventory, now: &Inventory) -> Vec<Change> {
    let names: BTreeSet<&String> = names.iter().collect();
    // Ids begin with `sha256:`, and must go last.
    let (ids, names): (Vec<_>, Vec<_>) = names
        .into_iter()
        .partition(|name| name.starts_with("sha256:"));
    let changed = names.into_iter().chain(ids).filter(|name| {
        let meant = now.manifest(name);
        meant.is_some() && meant != before.manifest(name)
    });
    changed
        .map(|name| match before.other_name(name) {
            Some(other) if now.manifest(other) == before.manifest(name) => Change::Restore {
                name: name.clone(),
                from: other.to_owned(),
            },
            _ => Change::Remove(name.clone()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use kind_image::Digest;

    use super::*;

    #[test]
    fn no_name_is_left_of_an_image_that_is_not_there() {
        let [good, broken] = [Digest::of(b"good"), Digest::of(b"broken")];
        let (id, old_id) = (
            Digest::of(b"id").to_string(),
            Digest::of(b"old").to_string(),
        );
        let (name, other) = ("docker.io/library/app:v1", "docker.io/library/app:v2");
        let names = [name, other, &id].map(str::to_owned);
        let before = Inventory::of(&[(other, &good), (&old_id, &good)], &[], &[]);
        let after = [
            (name, &broken),
            (other, &broken),
            (old_id.as_str(), &good),
            (id.as_str(), &broken),
        ];
        let now = Inventory::of(&after, &[], &[]);
        let remove = |name: &str| Change::Remove(name.to_owned());
        let restore = Change::Restore {
            name: other.to_owned(),
            from: old_id.clone(),
        };
        assert_eq!(
            find_changes(&names, &before, &now),
            [remove(name), restore, remove(&id)]
        );
        // Where the old image is gone, a wrong name is worse than none.
        let gone = Inventory::of(&[(other, &broken)], &[], &[]);
        assert_eq!(find_changes(&names, &before, &gone), [remove(other)]);
        assert_eq!(find_changes(&names, &before, &before), []);
    }
}
