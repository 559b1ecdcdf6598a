//! Networks that come and go to learn which subnet the engine takes for free.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use ipnet::Ipv4Net;

use super::answer;
use super::find::{is_unused, says_taken};
use crate::command_line::Flavor;
use crate::command_line::program::Program;
use crate::{Error, Leftover, LeftoverKind, Pruning};

/// What the name of a scout has between the network's and two numbers, its process's and its own.
const PART: &str = "-subnet-";
/// The network that kind makes unless told otherwise; of others' scouts nothing tells them from networks of users.
const NETWORK: &str = "kind";

/// How many networks this process has made to learn of a subnet.
static SCOUTS: AtomicU32 = AtomicU32::new(0);

/// An IPv4 subnet that the engine itself takes for free, so that nodes may have addresses for life:
/// engines give those only in subnets that were asked for. Found by making a network of another name
/// and looking what it got; `None` leaves the choice to the engine, as kind does.
pub(super) fn find_free_subnet(flavor: Flavor, program: &Program, name: &str) -> Option<Ipv4Net> {
    if !flavor.gives_addresses() {
        return None;
    }
    let number = SCOUTS.fetch_add(1, Ordering::Relaxed);
    let scout = format!("{name}{PART}{}-{number}", std::process::id());
    make_scout(program, &scout).ok()?;
    let found = program.command_output(&["network", "inspect", &scout]);
    if let Err(error) = program.command_output(&["network", "rm", &scout]) {
        tracing::debug!(%error, scout, "a network that is in nobody's way stays");
    }
    let known = answer::read(flavor, &scout, &found.ok()?).ok()??;
    known.subnets.v4
}

/// Makes a network in the place of one that a killed process of this number has left.
fn make_scout(program: &Program, scout: &str) -> Result<String, Error> {
    let make = || program.command_output(&["network", "create", "-d=bridge", scout]);
    match make() {
        Err(error) if says_taken(&error) => {
            program.command_output(&["network", "rm", scout])?;
            make()
        }
        made => made,
    }
}

/// Those that killed processes have left.
pub(in crate::command_line) fn prune_scouts(
    flavor: Flavor,
    program: &Program,
    pruning: Pruning,
) -> Result<Vec<Leftover>, Error> {
    if !flavor.gives_addresses() {
        return Ok(Vec::new());
    }
    let listed = program.command_output(&["network", "ls", "--format={{.Name}}"])?;
    let mut found = Vec::new();
    for name in listed.lines().filter(|name| is_left_scout(name)) {
        if !is_unused(flavor, program, name) {
            continue;
        }
        let remove = ["network", "rm", name];
        if pruning == Pruning::Look || program.run_command(&remove)?.status.success() {
            found.push(Leftover::new(LeftoverKind::Network, name, 0));
        }
    }
    Ok(found)
}

/// Whether a network has a scout's name, and its process is gone.
fn is_left_scout(name: &str) -> bool {
    let numbers = name
        .strip_prefix(NETWORK)
        .and_then(|rest| rest.strip_prefix(PART));
    let Some((process, number)) = numbers.and_then(|numbers| numbers.split_once('-')) else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(process) && is_number(number) && !Path::new("/proc").join(process).exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command_line::stub;

    /// What comes of the work with docker doing this, and what it was called with.
    fn called<T>(cases: &str, work: impl FnOnce(&Program) -> T) -> (T, Vec<String>) {
        let directory = tempfile::tempdir().unwrap();
        let calls = directory.path().join("calls");
        let script = format!(
            "echo \"$*\" >>{calls}\nto() {{ grep -c \"$1\" {calls}; }}\ncase \"$*\" in\n{cases}\nesac\n",
            calls = calls.display()
        );
        let program = Program::new(stub::program(directory.path(), &script));
        let result = work(&program);
        let calls = std::fs::read_to_string(calls).unwrap();
        (result, calls.lines().map(str::to_owned).collect())
    }

    #[test]
    fn a_scout_takes_the_place_of_one_that_was_left() {
        let cases = "'network create '*) test \"$(to create)\" -ge 2 || { \
            echo \"network with name $4 already exists\" >&2; exit 1; } ;;
        'network inspect '*) printf '[{\"Name\":\"%s\",\"IPAM\":{\"Config\":[{\"Subnet\":\"172.30.0.0/16\"}]}}]' \"$3\" ;;";
        let find = |program: &Program| find_free_subnet(Flavor::Docker, program, "kind");
        let (subnet, calls) = called(cases, find);
        assert_eq!(subnet, "172.30.0.0/16".parse().ok(), "{calls:?}");
        let words: Vec<_> = calls
            .iter()
            .filter_map(|call| call.split(' ').nth(1))
            .collect();
        assert_eq!(words, ["create", "rm", "create", "inspect", "rm"]);
    }

    #[test]
    fn scouts_of_processes_that_are_gone_are_removed() {
        let alive = format!("kind-subnet-{}-0", std::process::id());
        let cases = format!(
            "'network ls '*) printf '%s\\n' bridge kind my-subnet-4000000000-0 kind-subnet-4000000000-0 \
             kind-subnet-4000000001-2 kind-subnet-4000000000-0-mine kind-subnet-a-0 {alive} ;;
            'ps '*4000000001*) echo 0123 ;;
            'inspect '*) echo '[{{\"Name\":\"/other\"}}]' ;;"
        );
        let name = "kind-subnet-4000000000-0";
        let left = [Leftover::new(LeftoverKind::Network, name, 0)];
        let prune = |pruning| {
            called(&cases, |program| {
                prune_scouts(Flavor::Docker, program, pruning)
            })
        };
        let (found, calls) = prune(Pruning::Remove);
        assert_eq!(found.unwrap(), left);
        let removal = format!("network rm {name}");
        let is_removal = |call: &&String| call.contains(" rm ");
        assert_eq!(
            calls.iter().filter(is_removal).collect::<Vec<_>>(),
            [&removal]
        );
        let (found, calls) = prune(Pruning::Look);
        assert_eq!(found.unwrap(), left);
        assert!(!calls.contains(&removal), "{calls:?}");
    }
}
