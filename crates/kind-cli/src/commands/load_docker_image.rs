//! `kind load docker-image`

use kind::LoadImages;

use super::flags::NAME;
use crate::args::{ArgRule, Command, Flag, Kind, Matches};
use crate::context::Context;
use crate::document::LoadedImages;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: "Loads docker images from host into all or specified nodes by name",
    positionals: "<IMAGE> [IMAGE...]",
    flags: &[NAME, NODES],
    rule: ArgRule::Some("a list of image names is required"),
    action: Some(load_docker_image),
    ..Command::new("docker-image", "Loads docker images from host into nodes")
};

/// Which nodes get images.
pub(super) const NODES: Flag = Flag::new(
    "nodes",
    Kind::Strings,
    "comma separated list of nodes to load images into",
);

fn load_docker_image(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let cluster = context.cluster_name(matches);
    let provider = context.provider(matches)?;
    let mut options = LoadImages::new(&cluster)
        .nodes(matches.list_flag("nodes"))
        .cancel(context.interruptible());
    for image in &matches.positionals {
        options = options.image(image);
    }
    let images = provider.load_images(options, &|event| context.ui.event(event))?;
    let loaded = LoadedImages {
        cluster,
        loaded: matches.positionals.clone(),
        images,
    };
    context.ui.result(&loaded, String::new);
    Ok(Exit::Success)
}
