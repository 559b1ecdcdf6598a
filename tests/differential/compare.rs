//! Whether two programs made the same of a configuration.

use crate::programs::Made;

/// The error says what is different. `nodes` is how many nodes the cluster has.
pub(crate) fn same(theirs: &Made, ours: &Made, nodes: usize) -> Result<(), String> {
    match (theirs, ours) {
        (Made::Files(theirs), Made::Files(ours)) => {
            for (place, text) in theirs {
                let Some(our_text) = ours.get(place) else {
                    return Err(format!("{place:?} is missing"));
                };
                if text != our_text {
                    return Err(format!("{place:?}: {}", first_difference(text, our_text)));
                }
            }
            match ours.keys().find(|place| !theirs.contains_key(place)) {
                Some(place) => Err(format!("{place:?} is too much")),
                None => Ok(()),
            }
        }
        (Made::Refusal(theirs), Made::Refusal(ours)) => same_reason(theirs, ours, nodes),
        (Made::Refusal(theirs), Made::Files(_)) => Err(format!("the original refuses: {theirs}")),
        (Made::Files(_), Made::Refusal(ours)) => Err(format!("ours refuses: {ours}")),
    }
}

fn first_difference(theirs: &str, ours: &str) -> String {
    let differ = |(_, (their, our)): &(usize, (&str, &str))| their != our;
    let found = theirs.lines().zip(ours.lines()).enumerate().find(differ);
    match found {
        Some((line, (their, our))) => format!("line {}: {their:?} and not {our:?}", line + 1),
        None => format!("one has more lines: {theirs:?} and {ours:?}"),
    }
}

/// Both refuse: everything that scripts and people look for in the original's words is in ours.
fn same_reason(theirs: &str, ours: &str, nodes: usize) -> Result<(), String> {
    let error = theirs.rsplit("ERROR: failed to create cluster: ").next();
    let error = error.unwrap_or(theirs).trim_end();
    // The original makes the files of all nodes at once: which of several mistakes is told is chance.
    if nodes > 1 && is_of_files(error) && is_of_files(ours) {
        return Ok(());
    }
    // Ours reads all patches before anything is made: of several mistakes it tells one that cannot be read.
    if is_of_files(error) && error.contains("failed to apply") && ours.contains("failed to parse") {
        return Ok(());
    }
    let missing = marks(error)
        .into_iter()
        .find(|mark| !ours.contains(mark.as_str()));
    match missing {
        Some(mark) => Err(format!("{mark:?} of {error:?} is not in {ours:?}")),
        None => Ok(()),
    }
}

/// Whether an error is about a file of a node.
fn is_of_files(error: &str) -> bool {
    const FILES: [&str; 2] = [
        "failed to generate kubeadm config content",
        "failed to patch containerd config",
    ];
    FILES.iter().any(|file| error.contains(file))
}

/// The parts of an error that stand for its reason: the beginnings that name what went wrong, lines, and
/// names of fields. Words of the original's libraries are not.
fn marks(error: &str) -> Vec<String> {
    const BEGINNINGS: [&str; 5] = [
        "failed to generate kubeadm config content: failed to parse patches",
        "failed to generate kubeadm config content: failed to parse JSON 6902 patches",
        "failed to generate kubeadm config content: failed to apply",
        "failed to patch containerd config",
        "could not determine kind / apiVersion for config",
    ];
    // A quirk that ours has not: an API server address that is none is found out when a port is looked
    // for, and after a look-up of its name.
    if error.starts_with("failed to get random host port for port mapping: listen tcp: lookup") {
        return vec!["invalid apiServerAddress".to_owned()];
    }
    if let Some(problems) = error.strip_prefix("unable to decode config: yaml: unmarshal errors:") {
        let problems = problems
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty());
        return problems.map(problem_mark).collect();
    }
    // The original tells an unknown word alone, ours with everything else that is wrong.
    if let Some(word) = error.strip_prefix("unable to decode config: Unknown ") {
        return vec![format!("Unknown {word}")];
    }
    // Ours finds more that cannot work.
    if let Some(problems) = error
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return problems.split(", ").map(str::to_owned).collect();
    }
    let beginning = BEGINNINGS
        .iter()
        .find(|beginning| error.starts_with(**beginning));
    vec![beginning.map_or(error, |beginning| beginning).to_owned()]
}

/// `line 3: field x not found`, or only `line 3:` for a value of a wrong type.
fn problem_mark(problem: &str) -> String {
    match problem.split_once(" in type ") {
        Some((problem, _)) if problem.contains("not found") => problem.to_owned(),
        _ => problem
            .split_inclusive(':')
            .next()
            .unwrap_or(problem)
            .to_owned(),
    }
}
