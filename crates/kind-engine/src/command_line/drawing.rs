//! What engines draw on a terminal while they pull: the only place where they tell bytes.

use std::collections::BTreeMap;

use kind_image::Progress;

/// No line that counts is longer.
const LONGEST_LINE: usize = 4 * 1024;
/// How much of the other lines is kept for a failure.
const MAX_OUTPUT: usize = 64 * 1024;
const ESCAPE: u8 = 0x1b;
/// Ends an escape sequence that only colours what follows.
const COLOUR: u8 = b'm';

/// Reads what is drawn as it comes.
#[derive(Debug)]
pub(super) struct Drawing {
    what: String,
    line: Vec<u8>,
    in_escape: bool,
    /// Bytes of each layer: those that are here, and all of them once that is known.
    layers: BTreeMap<String, (u64, Option<u64>)>,
    /// The last that was told of all layers.
    told: Option<(u64, Option<u64>)>,
    words: String,
}

/// What a line says of a layer.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Moving { done: u64, total: u64 },
    Here,
}

impl Drawing {
    /// Nothing is drawn yet of the transfer called `what`.
    pub(super) fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            line: Vec::new(),
            in_escape: false,
            layers: BTreeMap::new(),
            told: None,
            words: String::new(),
        }
    }

    /// Reads on, and tells how far the transfer has come.
    pub(super) fn read_drawn(&mut self, drawn: &[u8], tell: &dyn Fn(Progress)) {
        for byte in drawn {
            match (self.in_escape, *byte) {
                (false, ESCAPE) => self.in_escape = true,
                (true, b'[' | b'0'..=b'?') => {}
                (true, COLOUR) => self.in_escape = false,
                // The cursor has moved.
                (true, _) => {
                    self.in_escape = false;
                    self.end_line(tell);
                }
                (false, b'\r' | b'\n') => self.end_line(tell),
                (false, byte) if self.line.len() < LONGEST_LINE => self.line.push(byte),
                (false, _) => {}
            }
        }
    }

    /// The lines that are about no layer, which tell why a pull failed.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    fn end_line(&mut self, tell: &dyn Fn(Progress)) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let Some((layer, state)) = read_line(line.trim()) else {
            if !line.trim().is_empty() && self.words.len() < MAX_OUTPUT {
                self.words.push_str(line.trim_end());
                self.words.push('\n');
            }
            return;
        };
        let known = self.layers.entry(layer.to_owned()).or_default();
        match state {
            State::Waiting => {}
            State::Moving { done, total } => *known = (done, Some(total)),
            State::Here => *known = (known.1.unwrap_or(0), Some(known.1.unwrap_or(0))),
        }
        let layers = self.layers.values();
        let (done, total) = layers.fold((0, Some(0)), |(sum, all), (done, total)| {
            let all = all.and_then(|all: u64| Some(all + (*total)?));
            (sum + done, all)
        });
        // Lines are drawn again for what happens to layers that are here.
        if self.told.replace((done, total)) != Some((done, total)) {
            tell(Progress::new(self.what.as_str(), done, total));
        }
    }
}

/// The layer of a line of docker (`abb44cf38010: Downloading [=> ]  553kB/62.93MB`) or podman
/// (`Copying blob abb44cf38010 [=>--] 7.1MiB / 60.0MiB`), and what it says.
fn read_line(line: &str) -> Option<(&str, State)> {
    let (layer, state) = match line.strip_prefix("Copying ") {
        Some(rest) => rest.split_once(' ')?.1.split_once(' ')?,
        None => line.split_once(": ")?,
    };
    let layer = layer.trim_start_matches("sha256:");
    let is_digest = layer.len() >= 10 && layer.bytes().all(|digit| digit.is_ascii_hexdigit());
    let state = match state.split_once('[') {
        _ if !is_digest || state.starts_with("Retrying") => return None,
        _ if state.starts_with("Pulling fs layer") || state.starts_with("Waiting") => {
            State::Waiting
        }
        Some((action, bar)) if matches!(action.trim(), "" | "Downloading") => parse_progress(bar)?,
        // What follows a download happens on this side of the network.
        _ => State::Here,
    };
    Some((layer, state))
}

/// The numbers behind a bar.
fn parse_progress(bar: &str) -> Option<State> {
    let (_, numbers) = bar.rsplit_once(']')?;
    let (done, total) = numbers.split_once('/')?;
    let total = total.trim_start().split([' ', '|']).next()?;
    Some(State::Moving {
        done: parse_size(done.trim())?,
        total: parse_size(total)?,
    })
}

/// Bytes of a rounded size such as `62.93MB`, `7.1MiB` or `893.0b`.
fn parse_size(size: &str) -> Option<u64> {
    let end = size.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let (number, unit) = size.split_at(end);
    let thousand: u64 = if unit.contains('i') { 1024 } else { 1000 };
    let unit = match unit.to_ascii_lowercase().chars().next()? {
        'b' => 1,
        'k' => thousand,
        'm' => thousand.pow(2),
        'g' => thousand.pow(3),
        't' => thousand.pow(4),
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let places = u32::try_from(part.len())
        .ok()
        .filter(|places| *places < 7)?;
    let part = part.parse().unwrap_or(0) * unit / 10_u64.pow(places);
    Some(whole.parse::<u64>().ok()?.checked_mul(unit)? + part)
}

#[cfg(test)]
#[path = "drawing_tests.rs"]
mod tests;
