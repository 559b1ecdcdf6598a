//! The proxy that all services of the node use.

use std::path::Path;

use super::error::during_step;
use super::{Error, text};

const FILE: &str = "etc/systemd/system.conf.d/proxy-default-environment.conf";

/// Hands the proxy variables of the node's first process on to its services.
pub(super) fn configure_proxy(root: &Path) -> Result<(), Error> {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let text = render_drop_in(variable);
    text::write_text(&root.join(FILE), &text).map_err(during_step(format!("write /{FILE}")))
}

fn render_drop_in(variable: impl Fn(&'static str) -> String) -> String {
    let assignments: Vec<String> = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]
        .into_iter()
        .map(|name| format!("\"{name}={}\"", escape_value(&variable(name))))
        .collect();
    format!("[Manager]\nDefaultEnvironment={}\n", assignments.join(" "))
}

/// A value as it stands between double quotes in a configuration file of systemd, where `%` begins
/// a specifier (see systemd.syntax(7) and systemd-system.conf(5)); passwords hold all of these.
fn escape_value(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            '%' => escaped.push_str("%%"),
            // A line of its own would be a setting of its own.
            character if character.is_control() => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_variables_are_empty() {
        assert_eq!(
            render_drop_in(|_| String::new()),
            "[Manager]\nDefaultEnvironment=\"HTTP_PROXY=\" \"HTTPS_PROXY=\" \"NO_PROXY=\"\n"
        );
    }

    #[test]
    fn values_cannot_leave_their_quotes() {
        let value = |name| match name {
            "HTTP_PROXY" => "http://u:p%40\"\\@proxy:3128\nEvil=1".to_owned(),
            _ => String::new(),
        };
        let text = render_drop_in(value);
        assert!(
            text.contains(r#""HTTP_PROXY=http://u:p%%40\"\\@proxy:3128Evil=1""#),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2);
    }
}
