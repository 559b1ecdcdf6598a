//! The token by which nodes join.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};

use crate::Error;

/// What stands in for whatever is new in each cluster.
pub(super) const PLACEHOLDER: &str = "<random>";
/// Lengths of the two parts of a token: its name, which is public, and its secret.
const PARTS: [usize; 2] = [6, 16];
/// Of what a token is made.
const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Random bytes from here on would make some characters likelier than others.
const FAIR: u8 = 252;

/// The token by which the nodes of one creation join.
#[derive(Clone, PartialEq, Eq)]
pub struct BootstrapToken(String);

impl BootstrapToken {
    /// A new one, from the system's generator.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn random() -> Result<Self, Error> {
        let generator = SystemRandom::new();
        let parts = PARTS.map(|length| random_word(&generator, length));
        let [id, secret] = parts;
        Ok(Self(format!("{}.{}", id?, secret?)))
    }

    /// What stands in for one where nothing is made.
    pub fn placeholder() -> Self {
        Self(PLACEHOLDER.to_owned())
    }

    /// Its public part, after which the cluster's object is called.
    pub fn id(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    /// Whether it only stands in for a token.
    pub(super) fn is_placeholder(&self) -> bool {
        self.0 == PLACEHOLDER
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BootstrapToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The secret stays out of logs.
        f.debug_tuple("BootstrapToken").field(&self.id()).finish()
    }
}

fn random_word(generator: &SystemRandom, length: usize) -> Result<String, Error> {
    let mut word = String::with_capacity(length);
    while word.len() < length {
        let mut byte = [0];
        let filled = generator.fill(&mut byte);
        filled.map_err(|_| Error::certificate("the system gives no random numbers"))?;
        if byte[0] < FAIR {
            let place = usize::from(byte[0]) % ALPHABET.len();
            word.push(char::from(ALPHABET[place]));
        }
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_one_and_another_one() {
        let tokens: Vec<_> = (0..50).map(|_| BootstrapToken::random().unwrap()).collect();
        for (place, BootstrapToken(text)) in tokens.iter().enumerate() {
            let (id, secret) = text.split_once('.').unwrap();
            assert_eq!([id.len(), secret.len()], PARTS, "{text}");
            let mut bytes = id.bytes().chain(secret.bytes());
            assert!(bytes.all(|byte| ALPHABET.contains(&byte)), "{text}");
            assert!(!tokens[..place].iter().any(|other| other.0 == *text));
            assert_eq!(
                format!("{:?}", tokens[place]),
                format!("BootstrapToken({id:?})")
            );
        }
    }
}
