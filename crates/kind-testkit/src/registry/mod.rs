//! A real registry on loopback: Debian's `docker-registry`, with storage of its own that ends with it.

mod certificates;
mod login;
mod relay;
mod server;
mod token;

pub use certificates::Authority;
pub use login::{PASSWORD, USER};
pub use relay::{Proxy, Relay};
pub use server::{Options, Registry};
pub use token::TokenService;
