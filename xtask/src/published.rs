//! The node image that kind publishes.

use std::error::Error as _;
use std::time::Duration;

use kind_config::DEFAULT_NODE_IMAGE;
use kind_image::http::Timeouts;
use kind_image::oci::Platform;
use kind_image::registry::{self, Access};

use crate::shell::say;

/// A registry that does not answer so soon is of no use to who wants to try something.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether its registry answers, and has it for this machine.
pub(crate) fn is_there() -> bool {
    let variables = std::env::vars().collect();
    let access = Access::from_environment(&variables).timeouts(Timeouts::for_each_phase(PATIENCE));
    let Ok(reference) = DEFAULT_NODE_IMAGE.parse() else {
        return false;
    };
    match registry::resolve(&reference, &Platform::of_host(), &access) {
        Ok(_) => true,
        Err(error) => {
            let reason = error
                .source()
                .map_or(String::new(), |reason| format!(": {reason}"));
            say(&format!("No published node image: {error}{reason}"));
            false
        }
    }
}
