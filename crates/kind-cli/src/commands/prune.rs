//! `kind prune`

use kind::{Prune, PrunedKind};

use crate::args::{ArgRule, Command, Flag, Matches};
use crate::context::Context;
use crate::document::{PrunedItem, PrunedItems};
use crate::exit::{Exit, Failure};
use crate::ui::format_bytes;

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: ABOUT,
    flags: &[
        Flag::switch(
            "build-cache",
            "also remove the results of building node images",
        ),
        Flag::switch("dry-run", "say what would be removed, and remove nothing"),
    ],
    rule: ArgRule::None,
    action: Some(prune_leftovers),
    ..Command::new("prune", "Removes what no cluster uses")
};

const ABOUT: &str =
    "Removes what kind keeps to be faster the next time and no cluster uses: images of the native
engine's store, unpacked images that nodes share (with docker, volumes), and programs for
nodes of other versions.

Nothing that a cluster uses is touched, whether it runs or not. Images in the stores of docker,
podman and nerdctl are left alone.";

fn prune_leftovers(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let dry_run = matches.switch("dry-run");
    let provider = context.provider(matches)?;
    let options = Prune::new()
        .dry_run(dry_run)
        .build_cache(matches.switch("build-cache"))
        .cancel(context.interruptible());
    let pruned = provider.prune(&options, &|event| context.ui.event(event))?;
    let items = pruned.into_iter().map(|item| PrunedItem {
        r#type: kind_name(item.kind).to_owned(),
        name: item.name,
        bytes: item.bytes,
    });
    let items: Vec<_> = items.collect();
    let document = PrunedItems {
        dry_run,
        bytes: items.iter().map(|item| item.bytes).sum(),
        items,
    };
    context.ui.result(&document, || format_items(&document));
    Ok(Exit::Success)
}

/// How programs know a kind of thing.
fn kind_name(kind: PrunedKind) -> &'static str {
    match kind {
        PrunedKind::Image => "image",
        PrunedKind::PreparedImages => "preparedImages",
        PrunedKind::NodeAgent => "nodeProgram",
        PrunedKind::BuildCache => "buildCache",
        PrunedKind::Network => "network",
        _ => "other",
    }
}

/// How people know it.
fn kind_title(kind: &str) -> &'static str {
    match kind {
        "image" => "image",
        "preparedImages" => "unpacked images",
        "nodeProgram" => "node program",
        "buildCache" => "build cache",
        "network" => "network",
        _ => "",
    }
}

/// A line for each thing, and the sum.
fn format_items(document: &PrunedItems) -> String {
    let (removed, freed) = if document.dry_run {
        ("Would remove", "Would free")
    } else {
        ("Removed", "Freed")
    };
    let lines = document.items.iter().map(|item| {
        let title = kind_title(&item.r#type);
        let size = match item.bytes {
            // Engines do not tell.
            0 => String::new(),
            size => format!(" ({})", format_bytes(size)),
        };
        format!("{removed} {title} {}{size}\n", item.name)
    });
    let sum = format!("{freed} {}\n", format_bytes(document.bytes));
    lines.chain([sum]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thing_has_a_line() {
        let items = vec![PrunedItem {
            r#type: kind_name(PrunedKind::Image).to_owned(),
            name: "docker.io/kindest/node:v1".to_owned(),
            bytes: 1_500_000,
        }];
        let mut document = PrunedItems {
            dry_run: true,
            items,
            bytes: 1_500_000,
        };
        assert_eq!(
            format_items(&document),
            "Would remove image docker.io/kindest/node:v1 (1.5 MB)\nWould free 1.5 MB\n"
        );
        (document.dry_run, document.bytes) = (false, 0);
        document.items.clear();
        assert_eq!(format_items(&document), "Freed 0 B\n");
    }
}
