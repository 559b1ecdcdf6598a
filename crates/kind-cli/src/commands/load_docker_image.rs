//! `kind load docker-image`

use super::NAME;
use crate::args::{ArgRule, Command, Flag, Kind, Matches};
use crate::context::Context;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: "Loads docker images from host into all or specified nodes by name",
    positionals: "<IMAGE> [IMAGE...]",
    flags: &[NAME, NODES],
    rule: ArgRule::Some("a list of image names is required"),
    action: Some(run),
    ..Command::new("docker-image", "Loads docker images from host into nodes")
};

/// Which nodes get images.
pub(super) const NODES: Flag = Flag::new(
    "nodes",
    Kind::Strings,
    "comma separated list of nodes to load images into",
);

fn run(_: &Matches, _: &Context) -> Result<Exit, Failure> {
    Err(kind::Error::NotSupported("loading images into nodes".to_owned()).into())
}
