//! The commands: what they print, and where candidates come from that exist.

use super::candidates::{Live, find_candidates};
use crate::args::{self, ArgRule, Command, Flag, Matches};
use crate::context::Context;
use crate::document::CompletionScript;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(crate) static COMMAND: Command = Command {
    about: ABOUT,
    children: &[&BASH, &FISH, &POWERSHELL, &ZSH],
    ..Command::new(
        "completion",
        "Output shell completion code for the specified shell (bash, zsh or fish)",
    )
};

const ABOUT: &str = "Prints the code that completes kind's commands in a shell.

bash:        source <(kind completion bash)
fish:        kind completion fish | source
powershell:  kind completion powershell | Out-String | Invoke-Expression
zsh:         source <(kind completion zsh)

To keep it, write the output to a file that the shell reads when it starts.";

static BASH: Command = Command {
    rule: ArgRule::None,
    action: Some(|_, context| print_script(context, "bash", include_str!("bash.sh"))),
    ..Command::new("bash", "Output shell completions for bash")
};

static FISH: Command = Command {
    action: Some(|_, context| print_script(context, "fish", include_str!("fish.fish"))),
    ..Command::new("fish", "Output shell completions for fish")
};

static POWERSHELL: Command = Command {
    rule: ArgRule::None,
    action: Some(|_, context| print_script(context, "powershell", include_str!("powershell.ps1"))),
    ..Command::new("powershell", "Output shell completions for powershell")
};

static ZSH: Command = Command {
    rule: ArgRule::None,
    action: Some(|_, context| print_script(context, "zsh", include_str!("zsh.zsh"))),
    ..Command::new("zsh", "Output shell completions for zsh")
};

/// Candidates with descriptions.
pub(crate) static COMPLETE: Command = Command {
    hidden: true,
    verbatim: true,
    guide: Some(|root, matches, context| {
        print_candidates(root, matches, context, Descriptions::Shown)
    }),
    ..Command::new("__complete", "Prints candidates for the last word")
};

/// Candidates only.
pub(crate) static COMPLETE_NO_DESCRIPTIONS: Command = Command {
    hidden: true,
    verbatim: true,
    guide: Some(|root, matches, context| {
        print_candidates(root, matches, context, Descriptions::Hidden)
    }),
    ..Command::new("__completeNoDesc", "Prints candidates for the last word")
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Descriptions {
    Shown,
    Hidden,
}

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn print_script(context: &Context, shell: &str, text: &str) -> Result<Exit, Failure> {
    let script = CompletionScript {
        shell: shell.to_owned(),
        script: text.to_owned(),
    };
    context.ui.result(&script, || text.to_owned());
    Ok(Exit::Success)
}

/// What the shell does with candidates, as cobra's scripts number it.
const NO_FILES: u8 = 4;
const DEFAULT: u8 = 0;

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn print_candidates(
    root: &'static Command,
    matches: &Matches,
    context: &Context,
    descriptions: Descriptions,
) -> Result<Exit, Failure> {
    let (words, last) = match matches.positionals.split_last() {
        // Some shells cannot give an empty word, and quote it.
        Some((last, words)) if last == "\"\"" => (words, ""),
        Some((last, words)) => (words, last.as_str()),
        None => (&[][..], ""),
    };
    let found = find_candidates(root, words, last, |what| {
        list_existing(context, words, what)
    });
    let directive = if found.files { DEFAULT } else { NO_FILES };
    let mut text = String::new();
    for (word, description) in found.words {
        match descriptions {
            Descriptions::Shown => text.push_str(&format!("{word}\t{description}\n")),
            Descriptions::Hidden => text.push_str(&format!("{word}\n")),
        }
    }
    context.ui.data(&format!("{text}:{directive}\n"));
    context
        .ui
        .warn(&format!("Completion ended with directive: {directive}"));
    Ok(Exit::Success)
}

/// What exists; nothing if that cannot be found out.
fn list_existing(context: &Context, words: &[String], what: Live) -> Vec<String> {
    // The engine and the cluster are those that the rest of the line names.
    let matches = args::parse_arguments(LINE, &command_words(words)).unwrap_or_default();
    let Ok(provider) = context.provider(&matches) else {
        return Vec::new();
    };
    let found = match what {
        Live::Clusters => provider.clusters(),
        Live::Images => provider.images(),
        Live::Nodes => provider
            .nodes(Some(&context.cluster_name(&matches)))
            .map(|nodes| nodes.into_iter().map(|node| node.name).collect()),
    };
    found.unwrap_or_default()
}

/// The flags that say where to look.
const LINE: &[Flag] = &[
    Flag::text("provider", ""),
    Flag::text("name", "").short('n'),
];

/// The words of an unfinished line that say where to look.
fn command_words(words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--name" | "-n" | "--provider" if rest.peek().is_some() => {
                found.push(word.clone());
                found.extend(rest.next().cloned());
            }
            word if word.starts_with("--name=") || word.starts_with("--provider=") => {
                found.push(word.to_owned());
            }
            _ => {}
        }
    }
    found
}
