//! Short documents from the network, by which larger things are found and checked.

use super::Error;
use crate::http::{Client, Error as HttpError, Method, Request, Url};

/// A document of at most that many bytes, without the space around it.
pub(super) fn fetch_text(client: &Client, url: &Url, limit: u64) -> Result<String, HttpError> {
    let request = Request::new(Method::Get, url.clone());
    let bytes = client.send_request(request)?.checked()?.bytes(limit)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim().to_owned())
}

/// An address, or the error that there is none.
pub(super) fn parse_address(text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|reason| not_fetched("Kubernetes", HttpError::address(text, reason)))
}

/// Why `what` could not be brought.
pub(super) fn not_fetched(what: &str, error: HttpError) -> Error {
    Error::Download {
        what: what.to_owned(),
        source: Box::new(error),
    }
}
