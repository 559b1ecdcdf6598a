//! What a server is called.

use std::net::IpAddr;

/// Names and addresses that a server's certificate is good for.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) names: Vec<String>,
    pub(super) addresses: Vec<IpAddr>,
}

impl Names {
    /// Adds a name, or an address written as one.
    pub(super) fn add(&mut self, text: &str) {
        match text.parse() {
            Ok(address) if !self.addresses.contains(&address) => self.addresses.push(address),
            Err(_) if !text.is_empty() && !self.names.iter().any(|name| name == text) => {
                self.names.push(text.to_owned());
            }
            _ => {}
        }
    }

    /// Adds all of these.
    pub(super) fn with<S: AsRef<str>>(mut self, texts: impl IntoIterator<Item = S>) -> Self {
        for text in texts {
            self.add(text.as_ref());
        }
        self
    }
}
