//! Every target on its seeds and on changes of them: what a stable compiler can do without cargo-fuzz.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kind_fuzz::{TARGETS, Target};

/// Changes of each target's seeds that are tried.
const ROUNDS: u64 = 300;

/// Pieces of the formats, which chance alone hardly ever makes.
const WORDS: &[&str] = &[
    "\n",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "|\n ",
    ">-\n",
    "&a ",
    "*a",
    "<<: ",
    "---\n",
    "~",
    "#",
    "\n=====\n",
    "null",
    "yes",
    "0x1",
    "1e9",
    "kind: ",
    "apiVersion: kind.x-k8s.io/v1beta1\n",
    "nodes:\n",
    "name: ",
    "version = 2\n",
    "[[a]]\n",
    "op: add",
    "path: /a",
    "extraArgs: ",
    "certSANs: ",
    "@sha256:",
    "docker.io/",
    "\u{feff}",
    "\u{1f389}",
    "\r\n",
    "\t",
    "clusters:\n",
    "current-context: ",
    ".:53 {\n",
    "import a\n",
    "(a) {\n",
    "{$ZONE}",
    "{\"start_ip\": ",
    "\"IPAM\": ",
    "\"ServerErrors\": [",
];

/// Names the target that this process is for.
const TARGET: &str = "KIND_FUZZ_TARGET";

/// Each target has a process of its own, so that what it costs can be told, and all have a crash each.
#[test]
fn every_target_holds_for_changes_of_its_seeds() {
    if let Ok(name) = std::env::var(TARGET) {
        let target = TARGETS.iter().find(|target| target.name == name);
        return try_target(target.expect("the name is one of the table"));
    }
    let only = std::env::var("KIND_FUZZ_ONLY").ok();
    let wanted = |target: &&Target| only.as_ref().is_none_or(|only| only == target.name);
    let targets: Vec<&Target> = TARGETS.iter().filter(wanted).collect();
    assert!(!targets.is_empty(), "there is no target {only:?}");
    let failed: Vec<&str> = std::thread::scope(|scope| {
        let running: Vec<_> = targets
            .iter()
            .map(|target| (target.name, scope.spawn(|| run_apart(target.name))))
            .collect();
        let ended = running.into_iter();
        ended
            .filter_map(|(name, running)| (!running.join().unwrap()).then_some(name))
            .collect()
    });
    assert!(
        failed.is_empty(),
        "{failed:?} failed; what failed is in fuzz/artifacts"
    );
}

fn run_apart(target: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "every_target_holds_for_changes_of_its_seeds",
            "--nocapture",
        ])
        .env(TARGET, target);
    command.status().unwrap().success()
}

/// Tries a target for as many rounds, or minutes, as the environment says.
fn try_target(target: &Target) {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let end = number("KIND_FUZZ_MINUTES").map(|it| Instant::now() + Duration::from_secs(60 * it));
    let rounds =
        number("KIND_FUZZ_ROUNDS").unwrap_or(if end.is_some() { u64::MAX } else { ROUNDS });
    let seed = number("KIND_FUZZ_SEED").unwrap_or(0x9e37_79b9_7f4a_7c15);
    let seeds = seeds(target.name);
    assert!(!seeds.is_empty(), "{} has no seeds", target.name);
    seeds.iter().for_each(|seed| target.check(seed));
    let mut chance = Chance(seed);
    let mut tried = 0;
    while tried < rounds && end.is_none_or(|end| Instant::now() < end) {
        target.check(&changed(&seeds, &mut chance));
        tried += 1;
    }
    println!("{}: {tried} inputs from seed {seed:#x}", target.name);
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut directories = vec![root.join("seeds").join(target)];
    if target == "config" {
        directories.push(root.join("../examples"));
    }
    if target == "engine_answers" {
        let recorded = root.join("../crates/kind-engine/src/command_line/recorded");
        let engines = fs::read_dir(recorded).unwrap();
        directories.extend(engines.map(|engine| engine.unwrap().path()));
    }
    let files = directories
        .iter()
        .flat_map(|path| fs::read_dir(path).unwrap());
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// One seed after some changes.
fn changed(seeds: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut data = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(6) {
        let at = chance.below(data.len() + 1);
        let end = (at + 1 + chance.below(24)).min(data.len());
        match chance.below(6) {
            0 => data.insert(at, chance.below(256) as u8),
            1 if at < data.len() => data[at] ^= 1 << chance.below(8),
            2 => drop(data.drain(at..end)),
            3 => {
                let piece = data[at.min(end)..end].to_vec();
                let to = chance.below(data.len() + 1);
                data.splice(to..to, piece);
            }
            4 => {
                let other = &seeds[chance.below(seeds.len())];
                let from = chance.below(other.len() + 1);
                data.truncate(at);
                data.extend_from_slice(&other[from..]);
            }
            _ => {
                let word = WORDS[chance.below(WORDS.len())].bytes();
                data.splice(at..at, word);
            }
        }
    }
    data
}

/// Numbers that look like chance and are the same every time (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}
