//! Builds a node image: `build-node-image STORE CACHE KIND_NODE MANIFESTS SOURCE [packed]`, where SOURCE is
//! `debian` or a server tarball. With `packed` it holds its images as published node images do.
#![expect(clippy::print_stderr, reason = "an example talks to people")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use kind_image::build::{AddOns, Event, Packing, Request, Source, build};
use kind_image::{Reference, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (packing, arguments) = match arguments.split_last() {
        Some((last, rest)) if last == "packed" => (Packing::Packed, rest),
        _ => (Packing::Unpacked, arguments.as_slice()),
    };
    let [store, cache, node_agent, manifests, source] = arguments else {
        return Err("want STORE CACHE KIND_NODE MANIFESTS SOURCE [packed]".into());
    };
    let add_ons = AddOns {
        manifests: read_manifests(Path::new(manifests))?,
        node_agent: node_agent.into(),
    };
    let source = Source::parse(source);
    let name: Reference = format!("kindest/node:{}", source.kind()).parse()?;
    let request = Request {
        packing,
        ..Request::new(source, name, add_ons, cache)
    };
    match build(&Store::open(Path::new(store))?, &request, &tell) {
        Ok(image) => eprintln!("{} {} MiB", image.digest(), image.size() >> 20),
        Err(error) => {
            eprintln!(
                "{:?}: {error}: {:?}",
                error.code(),
                error.source().map(ToString::to_string)
            );
            eprintln!("hint: {:?}", error.remedy());
        }
    }
    Ok(())
}

fn read_manifests(directory: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let mut manifests = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        manifests.insert(name, fs::read_to_string(entry.path())?);
    }
    Ok(manifests)
}

fn tell(event: Event<'_>) {
    match event {
        Event::Started { step, log } => eprintln!("{step} … ({})", log.display()),
        Event::Finished { step, elapsed } => eprintln!("{step}: {:.1} s", elapsed.as_secs_f64()),
        Event::Cached { step } => eprintln!("{step}: there already"),
        Event::Waiting => eprintln!("waiting for another build"),
        Event::Progress { .. }
        | Event::Note { .. }
        | Event::Warning { .. }
        | Event::Transfer(_) => {}
    }
}
