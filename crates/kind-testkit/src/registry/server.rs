//! The registry's process.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::certificates::Authority;
use super::login::SECRET;
use super::token::TokenService;
use crate::machine::require_programs;

const PROGRAM: &str = "docker-registry";
const MAX_ATTEMPTS: usize = 5;

/// What a registry is to be like.
#[derive(Default)]
pub struct Options<'a> {
    /// Encrypt, with a certificate of this authority for these names.
    pub tls: Option<(&'a Authority, &'a [&'a str])>,
    /// Let in [`USER`](super::USER) only.
    pub login: bool,
    /// Let in who shows a token of this service.
    pub token: Option<&'a TokenService>,
    /// Listen on all addresses, for others in a world of one's own.
    pub for_others: bool,
}

/// A running registry; ends when dropped.
pub struct Registry {
    process: Child,
    address: SocketAddr,
    directory: tempfile::TempDir,
}

impl Registry {
    /// Starts a registry that everybody may use.
    pub fn start() -> Self {
        Self::start_with(&Options::default())
    }

    /// Starts a registry.
    ///
    /// # Panics
    /// If it is not installed or does not come up.
    pub fn start_with(options: &Options<'_>) -> Self {
        require_programs(&[PROGRAM]);
        for _ in 0..MAX_ATTEMPTS {
            if let Some(registry) = Self::try_start(options) {
                return registry;
            }
        }
        panic!("{PROGRAM} does not come up");
    }

    /// Another process may take the port before the registry does.
    fn try_start(options: &Options<'_>) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let config = directory.path().join("config.yml");
        let listens = if options.for_others {
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()))
        } else {
            address
        };
        fs::write(&config, text(options, directory.path(), listens)).unwrap();
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let process = Command::new(PROGRAM)
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut registry = Self {
            process,
            address,
            directory,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if registry.process.try_wait().unwrap().is_some() {
                return None;
            }
            if TcpStream::connect(address).is_ok() {
                return Some(registry);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Where it is found on this machine.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// An image's name in it.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// The file that it keeps content of this digest (64 hexadecimal digits) in.
    pub fn blob(&self, hex: &str) -> PathBuf {
        let blobs = "storage/docker/registry/v2/blobs/sha256";
        let directory = self.directory.path().join(blobs).join(&hex[..2]).join(hex);
        directory.join("data")
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn text(options: &Options<'_>, directory: &Path, address: SocketAddr) -> String {
    let storage = directory.join("storage");
    let mut text = format!(
        "version: 0.1\nlog: {{level: info}}\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
        storage.display()
    );
    if let Some((authority, names)) = options.tls {
        let (certificate, key) = authority.issue(directory, "server", names);
        text += &format!(
            "  tls:\n    certificate: {}\n    key: {}\n",
            certificate.display(),
            key.display()
        );
    }
    if options.login {
        let passwords = directory.join("htpasswd");
        fs::write(&passwords, SECRET).unwrap();
        text += &format!(
            "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
            passwords.display()
        );
    }
    if let Some(service) = options.token {
        text += &service.settings(directory);
    }
    text
}
