//! Every target on its seeds and on changes of them: what a stable compiler can do without cargo-fuzz.

use std::fs;
use std::path::Path;

use kind_fuzz::TARGETS;

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

#[test]
fn every_target_holds_for_changes_of_its_seeds() {
    let rounds = std::env::var("KIND_FUZZ_ROUNDS").ok();
    let rounds = rounds.and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    std::thread::scope(|scope| {
        for (name, target) in TARGETS {
            let seeds = seeds(name);
            assert!(!seeds.is_empty(), "{name} has no seeds");
            scope.spawn(move || {
                seeds.iter().for_each(|seed| target(seed));
                let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
                for _ in 0..rounds {
                    target(&changed(&seeds, &mut chance));
                }
            });
        }
    });
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
