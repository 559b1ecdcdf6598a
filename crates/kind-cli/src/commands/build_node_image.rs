//! `kind build node-image`

use kind::{BuildNodeImage, Packing, Source};

use crate::args::{ArgRule, Command, Flag, Matches};
use crate::context::Context;
use crate::document::BuiltNodeImage;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: ABOUT,
    positionals: "[kubernetes-source]",
    flags: &[
        Flag::text(
            "arch",
            "architecture to build for, defaults to the host architecture",
        ),
        Flag::text(
            "base-image",
            "name:tag of the base image to use for the build",
        ),
        Flag::text("image", "name:tag of the resulting image to be built")
            .default("kindest/node:latest"),
        Flag::switch(
            "packed",
            "hold the images of containers packed, as published node images do; each host unpacks them once",
        ),
        Flag::switch(
            "push",
            "publish the image at the registry that its name says, once it is built",
        ),
        Flag::text(
            "type",
            "optionally specify one of 'debian', 'url', 'file', 'release', 'ci' or 'source' as the type of build",
        ),
    ],
    rule: ArgRule::AtMost(1),
    action: Some(build_node_image),
    ..Command::new("node-image", "Build the node image")
};

const ABOUT: &str =
    "Builds the node image, which holds Kubernetes and everything else that a node needs.

The source may be:
- debian: Debian's own packages; needs no registry and no container engine
- release: the version of a release, for example v1.33.4
- ci: a build of Kubernetes' own tests, for example ci/latest or ci/latest-1.33
- url, file: the address or the file of a server tarball (kubernetes-server-linux-ARCH.tar.gz)
- source: the directory of a source tree, built by its own make; without one, the current directory
  or the tree in GOPATH
Kubernetes 1.22 and later also need etcd: the program kubernetes/server/bin/etcd of the tarball if it
has one, else its image, which is pulled from its registry.";

fn build_node_image(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let source = matches.positionals.first().map_or("", String::as_str);
    let image = matches.filled("image").unwrap_or("kindest/node:latest");
    let source = Source::parse_as(source, matches.filled("type"))?;
    if let Some(kind) = source.detected_type() {
        context.ui.info(&format!("Detected build type: {kind:?}"));
    }
    let provider = context.provider(matches)?;
    let cancel = context.interruptible();
    let mut options = BuildNodeImage::new(source, image).cancel(cancel.clone());
    if let Some(architecture) = matches.filled("arch") {
        options = options.architecture(architecture);
    }
    if let Some(base) = matches.filled("base-image") {
        options = options.base_image(base);
    }
    if matches.switch("packed") {
        options = options.packing(Packing::Packed);
    }
    let built = provider
        .build_node_image(&options, &|event| context.ui.event(event))
        .map_err(Failure::during("error building node image"))?;
    context
        .ui
        .info(&format!("Image \"{}\" build completed.", built.image));
    if matches.switch("push") {
        let digest =
            provider.push_node_image(&built.image, &cancel, &|event| context.ui.event(event))?;
        let image = &built.image;
        context.ui.info(&format!("Pushed \"{image}\" as {digest}."));
    }
    let built = BuiltNodeImage { image: built.image };
    context.ui.result(&built, String::new);
    Ok(Exit::Success)
}
