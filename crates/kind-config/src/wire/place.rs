//! Where a field belongs that stands in the wrong place.

use super::field::{Field, Fields};
use crate::ApiVersion;
use crate::model::{Cluster, Mount, Networking, Node, PortMapping};

/// Names the place of a field of that name, if there is one.
pub(super) fn field_path(field: &str, version: ApiVersion) -> Option<&'static str> {
    fn has<T: Fields>(field: &str, version: ApiVersion) -> bool {
        let is_it = |known: &&Field<T>| known.name == field && known.since <= version;
        T::FIELDS.iter().any(|known| is_it(&known))
    }
    [
        (
            has::<Cluster> as fn(&str, ApiVersion) -> bool,
            "the top level",
        ),
        (has::<Networking>, "`networking`"),
        (has::<Node>, "an entry of `nodes`"),
        (has::<Mount>, "an entry of a node's `extraMounts`"),
        (
            has::<PortMapping>,
            "an entry of a node's `extraPortMappings`",
        ),
    ]
    .into_iter()
    .find(|(has, _)| has(field, version))
    .map(|(_, place)| place)
}
