//! Words and lines of phases. Scripts read the plain form, so it is kept to the byte.

use kind::Phase;

use crate::args::duration_text;

/// Whether a line may hold colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Text only.
    Plain,
    /// With the colours of a terminal.
    Colour,
}

/// A phase in words.
pub(super) fn phase_text(phase: &Phase) -> String {
    match phase {
        Phase::BuildStep { title } => format!("{title} 🔨"),
        Phase::EnsureImage { image } => format!("Ensuring node image ({image}) 🖼️"),
        Phase::PrepareNodes { count } => format!("Preparing nodes {}", "📦 ".repeat(*count)),
        Phase::LoadBalancer => "Configuring the external load balancer ⚖️".to_owned(),
        Phase::WriteConfiguration => "Writing configuration 📜".to_owned(),
        Phase::StartControlPlane => "Starting control-plane 🕹️".to_owned(),
        Phase::InstallCni => "Installing CNI 🔌".to_owned(),
        Phase::InstallStorage => "Installing StorageClass 💾".to_owned(),
        Phase::JoinControlPlanes => "Joining more control-plane nodes 🎮".to_owned(),
        Phase::JoinWorkers => "Joining worker nodes 🚜".to_owned(),
        Phase::WaitReady { limit } => {
            let limit = duration_text(*limit);
            format!("Waiting ≤ {limit} for control-plane = Ready ⏳")
        }
        _ => "Working".to_owned(),
    }
}

/// The line for the beginning of a phase, without a terminal.
pub(super) fn started_line(text: &str) -> String {
    format!(" • {text}  ...")
}

/// The line for the end of a phase.
pub(super) fn ended_line(text: &str, well: bool, style: Style) -> String {
    match (style, well) {
        (Style::Plain, true) => format!(" ✓ {text}"),
        (Style::Plain, false) => format!(" ✗ {text}"),
        (Style::Colour, true) => format!(" \x1b[32m✓\x1b[0m {text}"),
        (Style::Colour, false) => format!(" \x1b[31m✗\x1b[0m {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn plain_lines_are_kinds_to_the_byte() {
        let image = "kindest/node:v1.37.0".to_owned();
        for (phase, start, end) in [
            (
                Phase::EnsureImage { image },
                " • Ensuring node image (kindest/node:v1.37.0) 🖼️  ...",
                " ✓ Ensuring node image (kindest/node:v1.37.0) 🖼️",
            ),
            (
                Phase::PrepareNodes { count: 2 },
                " • Preparing nodes 📦 📦   ...",
                " ✓ Preparing nodes 📦 📦 ",
            ),
            (
                Phase::StartControlPlane,
                " • Starting control-plane 🕹️  ...",
                " ✓ Starting control-plane 🕹️",
            ),
            (
                Phase::WaitReady {
                    limit: Duration::from_secs(60),
                },
                " • Waiting ≤ 1m0s for control-plane = Ready ⏳  ...",
                " ✓ Waiting ≤ 1m0s for control-plane = Ready ⏳",
            ),
        ] {
            let words = phase_text(&phase);
            assert_eq!(started_line(&words), start);
            assert_eq!(ended_line(&words, true, Style::Plain), end);
        }
        assert_eq!(ended_line("a", false, Style::Colour), " \x1b[31m✗\x1b[0m a");
    }
}
