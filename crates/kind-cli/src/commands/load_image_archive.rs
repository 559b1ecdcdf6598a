//! `kind load image-archive`

use kind::LoadImages;

use super::flags::NAME;
use super::load_docker_image::NODES;
use crate::args::{ArgRule, Command, Matches};
use crate::context::Context;
use crate::document::LoadedImages;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: "Loads docker image from archive into all or specified nodes by name",
    positionals: "<IMAGE.tar>",
    flags: &[NAME, NODES],
    rule: ArgRule::Some("name of image archive is required"),
    action: Some(load_image_archive),
    ..Command::new(
        "image-archive",
        "Loads docker image from archive into nodes",
    )
};

fn load_image_archive(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let archives = &matches.positionals;
    if archives.len() > 1 {
        context.ui.warn(SEVERAL);
    }
    let cluster = context.cluster_name(matches);
    let provider = context.provider(matches)?;
    let mut options = LoadImages::new(&cluster)
        .nodes(matches.list_flag("nodes"))
        .cancel(context.interruptible());
    for archive in archives {
        options = match archive.as_str() {
            "-" => options.stream(std::io::stdin()),
            path => options.archive(path),
        };
    }
    let images = provider.load_images(options, &|event| context.ui.event(event))?;
    let loaded = LoadedImages {
        cluster,
        loaded: archives.clone(),
        images,
    };
    context.ui.result(&loaded, String::new);
    Ok(Exit::Success)
}

const SEVERAL: &str = "It is suggested that you save multiple images into a common archive and load that \
                       instead of loading multiple archives for better performance";
