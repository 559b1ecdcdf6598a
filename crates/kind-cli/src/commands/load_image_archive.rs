//! `kind load image-archive`

use super::NAME;
use super::load_docker_image::NODES;
use crate::args::{ArgRule, Command, Matches};
use crate::context::Context;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: "Loads docker image from archive into all or specified nodes by name",
    positionals: "<IMAGE.tar>",
    flags: &[NAME, NODES],
    rule: ArgRule::Some("name of image archive is required"),
    action: Some(run),
    ..Command::new(
        "image-archive",
        "Loads docker image from archive into nodes",
    )
};

fn run(_: &Matches, _: &Context) -> Result<Exit, Failure> {
    Err(kind::Error::NotSupported("loading image archives into nodes".to_owned()).into())
}
