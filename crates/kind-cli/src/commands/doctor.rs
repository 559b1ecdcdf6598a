//! `kind doctor`

use kind::{
    Check, Examination, Examine, Examined, Fix, ProviderBuilder, Severity, Verbosity, Verdict,
};

use super::flags::KUBECONFIG;
use crate::args::{ArgRule, Command, Flag, Matches, UsageError};
use crate::context::Context;
use crate::document::Diagnosis;
use crate::exit::{Exit, Failure};

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: ABOUT,
    positionals: "[NAME]",
    flags: &[
        Flag::switch(
            "fix",
            "mend what can be mended without any danger, after asking for each thing",
        ),
        KUBECONFIG_READ,
        Flag::switch("yes", "with --fix: do not ask"),
    ],
    rule: ArgRule::AtMost(1),
    action: Some(run_doctor),
    ..Command::new("doctor", "Says what stands in the way of clusters")
};

const KUBECONFIG_READ: Flag = Flag {
    help: "looks at this kubeconfig instead of $KUBECONFIG or $HOME/.kube/config",
    ..KUBECONFIG
};

const ABOUT: &str = "Says what stands in the way of clusters, and what mends it.

Without a name it looks at the host and its engines, before anything is made; with the name of a
cluster at that cluster. Everything is looked at at once, which takes less than two seconds, and
nothing is changed without --fix. The exit code is 0 only if nothing stands in the way: warnings do
not.";

fn run_doctor(matches: &Matches, context: &Context) -> Result<Exit, Failure> {
    let (fix, yes) = (matches.switch("fix"), matches.switch("yes"));
    if yes && !fix {
        return Err(UsageError("--yes is for --fix".to_owned()).into());
    }
    let patient = Patient {
        cluster: matches.positionals.first().cloned(),
        builder: context.builder(matches)?,
        options: Examine::new().kubeconfigs(context.known_kubeconfig_files(matches)),
    };
    let mut found = patient.examine()?;
    let mut fixed = Vec::new();
    if fix {
        fixed = apply_fixes(&patient.builder, &found, yes, context);
    }
    if !fixed.is_empty() {
        found = patient.examine()?;
    }
    let verbose = context.ui.shows(Verbosity::Steps);
    let exit = if found.has_errors() {
        Exit::Failure
    } else {
        Exit::Success
    };
    let document = Diagnosis::new(patient.cluster, &found, fixed);
    context
        .ui
        .result(&document, || format_examination(&found, verbose));
    Ok(exit)
}

/// What is looked at.
struct Patient {
    cluster: Option<String>,
    builder: ProviderBuilder,
    options: Examine,
}

impl Patient {
    fn examine(&self) -> Result<Examination, Failure> {
        match &self.cluster {
            Some(name) => Ok(self.builder.examine_cluster(name, &self.options)?),
            None => Ok(self.builder.examine_host(&self.options)),
        }
    }
}

/// Mends what the user agrees to, and returns what that was.
fn apply_fixes(
    builder: &ProviderBuilder,
    found: &Examination,
    yes: bool,
    context: &Context,
) -> Vec<String> {
    let ui = &context.ui;
    let mut fixed = Vec::new();
    for examined in &found.examined {
        for fix in &examined.fixes {
            let agreed = if yes {
                Some(true)
            } else {
                ui.confirm(&fix_question(examined, fix))
            };
            match agreed {
                None => {
                    ui.warn("nothing is changed: --fix asks on a terminal, or takes --yes");
                    return fixed;
                }
                Some(false) => continue,
                Some(true) => {}
            }
            if let Err(error) = builder.apply_fix(fix) {
                // Others may be mended all the same.
                let action = format!("failed to {}", fix.title());
                ui.warn(&Failure::during(action)(error).message());
                continue;
            }
            ui.info(&format!("Done: {}", fix.title()));
            if let Some(note) = fix.note() {
                ui.info(&format!("  {note}"));
            }
            fixed.push(fix.title().to_owned());
        }
    }
    fixed
}

fn fix_question(examined: &Examined, fix: &Fix) -> String {
    let found: Vec<_> = examined.problems.iter().map(Check::to_string).collect();
    format!("{}\n  {}?", found.join("\n"), capitalize_first(fix.title()))
}

fn capitalize_first(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// What is in the way, the worst first, then how much is not.
fn format_examination(found: &Examination, verbose: bool) -> String {
    let mut problems: Vec<_> = found.problems().collect();
    problems.sort_by_key(|check| std::cmp::Reverse(check.severity));
    let problems = problems
        .into_iter()
        .map(|check| problem_text(check, verbose));
    let others = found
        .examined
        .iter()
        .filter(|_| verbose)
        .filter_map(other_text);
    let lines: String = problems.chain(others).collect();
    format!("{lines}{}", sum_text(found, verbose))
}

/// One problem, with what mends it.
fn problem_text(check: &Check, verbose: bool) -> String {
    let mark = match check.severity {
        Severity::Error => '✗',
        Severity::Warning => '!',
    };
    let mut lines = vec![format!(" {mark} {check} [{}]", check.id)];
    lines.push(format!("     expected: {}", check.expected));
    let mut remedies = check.remedy.lines();
    lines.extend(remedies.next().map(|first| format!("     remedy: {first}")));
    lines.extend(remedies.map(|line| format!("             {line}")));
    for evidence in check.evidence.iter().filter(|_| verbose) {
        lines.push(format!("     {}:", evidence.path));
        lines.extend(evidence.lines.iter().map(|line| format!("       {line}")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A check that found nothing.
fn other_text(examined: &Examined) -> Option<String> {
    let Examined {
        id, title, seen, ..
    } = examined;
    match examined.verdict {
        Verdict::Passed => Some(format!(" ✓ {title}: {seen} [{id}]\n")),
        Verdict::Skipped => Some(format!(" - {title}: {seen} [{id}]\n")),
        _ => None,
    }
}

fn sum_text(found: &Examination, verbose: bool) -> String {
    let passed = found.count(Verdict::Passed);
    let hint = if verbose || passed == 0 {
        ""
    } else {
        " (-v 1 lists them)"
    };
    let checks = format_count(passed, "check");
    let mut text = format!(" ✓ {checks} found nothing in the way{hint}\n");
    let fixes = found.fixes().count();
    if fixes > 0 {
        let things = format_count(fixes, "thing");
        text.push_str(&format!("`kind doctor --fix` mends {things} of it\n"));
    }
    text
}

fn format_count(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::document_text;

    fn check(id: &str, severity: Severity) -> Check {
        Check {
            id: id.to_owned(),
            severity,
            subject: format!("what {id} looks at"),
            found: "it is so".to_owned(),
            expected: "something else".to_owned(),
            remedy: "`do this`\n`and that`".to_owned(),
            evidence: Vec::new(),
        }
    }

    fn examined(id: &'static str, verdict: Verdict, problems: Vec<Check>) -> Examined {
        let mut examined = Examined::default();
        (examined.id, examined.title, examined.verdict) = (id, "a title", verdict);
        if problems.is_empty() {
            examined.seen = "as it should be".to_owned();
        }
        examined.problems = problems;
        examined
    }

    /// One check of each verdict.
    fn found() -> Examination {
        let mut warning = check("minor", Severity::Warning);
        let evidence = kind::Evidence {
            path: "a.log".to_owned(),
            lines: vec!["a line".to_owned()],
        };
        warning.evidence.push(evidence);
        let mut found = Examination::default();
        found.examined = vec![
            examined("minor", Verdict::Warning, vec![warning]),
            examined("well", Verdict::Passed, Vec::new()),
            examined("elsewhere", Verdict::Skipped, Vec::new()),
            examined(
                "major",
                Verdict::Error,
                vec![check("major", Severity::Error)],
            ),
        ];
        found
    }

    #[test]
    fn people_read_what_is_in_the_way_first() {
        insta::assert_snapshot!("doctor_text", format_examination(&found(), false));
        insta::assert_snapshot!("doctor_verbose_text", format_examination(&found(), true));
        let well = Examination::default();
        assert_eq!(
            format_examination(&well, true),
            " ✓ 0 checks found nothing in the way\n"
        );
    }

    #[test]
    fn programs_read_every_check() {
        let document = Diagnosis::new(Some("dev".to_owned()), &found(), vec!["set a".to_owned()]);
        insta::assert_snapshot!("doctor_json", document_text(&document));
    }

    #[test]
    fn only_errors_make_it_fail() {
        let mut found = found();
        assert!(found.has_errors());
        found.examined.pop();
        assert!(!found.has_errors());
    }
}
