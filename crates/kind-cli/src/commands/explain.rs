//! `kind explain`

use kind::Explanation;

use crate::args::{ArgRule, Command, Matches};
use crate::context::Context;
use crate::document::{ExplanationList, Topic};
use crate::exit::{Exit, Failure};
use crate::topics::{all_topics, find_topic, nearest_topic, render_topic};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: ABOUT,
    positionals: "[CODE]",
    rule: ArgRule::AtMost(1),
    action: Some(explain_topic),
    ..Command::new("explain", "Explains the code of an error, or exit codes")
};

const ABOUT: &str = "Explains what the code of an error means, when it appears and what to do.

Codes stand in the output of a failing command with `-v 1` and with `-o json`. They may be given in
any case and without `KIND-`. Causes that are found in logs of nodes (for example `unknown-flag`)
are explained too, and `exit-codes`. Without a code, all are listed.";

fn explain_topic(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let Some(topic) = matches.positionals.first() else {
        let topics = all_topics();
        let list = ExplanationList {
            explanations: topics.iter().map(Topic::from).collect(),
        };
        context.ui.result(&list, || render_list(&topics));
        return Ok(Exit::Success);
    };
    let found = find_topic(topic).ok_or_else(|| unknown_topic(topic))?;
    let document = crate::document::Explanation::from(&found);
    context.ui.result(&document, || render_topic(&found));
    Ok(Exit::Success)
}

fn unknown_topic(topic: &str) -> Failure {
    let near = nearest_topic(topic);
    let near = near.map_or(String::new(), |near| format!(", did you mean {near}?"));
    Failure::Message(format!(
        "there is no code {topic:?}{near} (`kind explain` lists all)"
    ))
}

/// A line for each.
fn render_list(topics: &[Explanation]) -> String {
    let width = topics.iter().map(|topic| topic.topic.len()).max();
    let width = width.unwrap_or_default();
    let line = |topic: &Explanation| format!("{:width$}  {}\n", topic.topic, topic.title);
    topics.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_code_as_people_read_it() {
        let text = render_topic(&find_topic("cluster-exists").unwrap());
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_list_has_a_line_for_each() {
        let topics = all_topics();
        let text = render_list(&topics);
        assert_eq!(text.lines().count(), topics.len());
        assert!(text.lines().all(|line| line.contains("  ")));
    }

    #[test]
    fn a_mistyped_code_gets_its_neighbour() {
        assert_eq!(
            unknown_topic("KIND-CLUSTER-EXIST").message(),
            "there is no code \"KIND-CLUSTER-EXIST\", did you mean KIND-CLUSTER-EXISTS? (`kind explain` lists all)"
        );
    }
}
