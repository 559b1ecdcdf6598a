//! Variables of nodes and commands, on their way through an engine's program.
//!
//! Every user of a host sees the arguments of its programs. What has a secret goes in the program's environment, which
//! only its own user sees; engines take a variable's value from there if they are told its name alone.

use std::collections::BTreeMap;

use kind_secret::redact_document;

/// The arguments that give a node or a command these variables.
pub(super) fn variable_arguments(variables: &BTreeMap<String, String>) -> Vec<String> {
    let option = |(name, value): (&String, &String)| {
        let argument = if is_secret(name, value) {
            name.clone()
        } else {
            format!("{name}={value}")
        };
        ["-e".to_owned(), argument]
    };
    variables.iter().flat_map(option).collect()
}

/// Those of the variables that go in the program's environment.
pub(super) fn secret_variables(
    variables: &BTreeMap<String, String>,
) -> impl Iterator<Item = (&String, &String)> {
    variables
        .iter()
        .filter(|(name, value)| is_secret(name, value))
}

fn is_secret(name: &str, value: &str) -> bool {
    let text = format!("{name}={value}");
    redact_document(&text) != text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_no_arguments() {
        let variables = [
            ("HTTP_PROXY", "http://me:hidden@proxy:3128"),
            ("NO_PROXY", "10.0.0.0/8"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = BTreeMap::from(variables);
        let arguments = variable_arguments(&variables);
        assert_eq!(arguments, ["-e", "HTTP_PROXY", "-e", "NO_PROXY=10.0.0.0/8"]);
        let secrets: Vec<_> = secret_variables(&variables).collect();
        let expected = (
            &"HTTP_PROXY".to_owned(),
            &"http://me:hidden@proxy:3128".to_owned(),
        );
        assert_eq!(secrets, [expected]);
    }
}
