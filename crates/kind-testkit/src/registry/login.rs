//! Who may use a registry.

/// `secret`, as bcrypt has it: the registry takes no other form.
pub(super) const SECRET: &str = "me:$2y$04$tLFZ8bAQSlw0QqIHy5Vwhep9ZWrjpv6BWZPxD4WcnnE4Y3fxwzDES\n";
/// The user that [`Options::login`](super::Options::login) lets in.
pub const USER: &str = "me";
/// Their password.
pub const PASSWORD: &str = "secret";
