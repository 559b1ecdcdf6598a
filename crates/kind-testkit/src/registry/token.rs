//! A token service, as big registries have one.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;

use super::login::{PASSWORD, USER};

const SERVICE: &str = "registry.test";
const ISSUER: &str = "issuer.test";
/// What buys a token in place of a password.
const IDENTITY: &str = "an-identity-token";

/// Gives tokens: to strangers for pulling, to the user for everything.
pub struct TokenService {
    address: SocketAddr,
    pem: String,
    asked: Arc<Mutex<Vec<String>>>,
}

struct Signer {
    key: EcdsaKeyPair,
    certificate: Vec<u8>,
}

impl TokenService {
    /// An identity token that the service takes in place of a password.
    pub const IDENTITY: &'static str = IDENTITY;

    /// Starts the service.
    ///
    /// # Panics
    /// If there is no port.
    pub fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(Vec::new())
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let signer = Signer {
            key: EcdsaKeyPair::from_pkcs8(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &key.serialize_der(),
                &SystemRandom::new(),
            )
            .unwrap(),
            certificate: certificate.der().to_vec(),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let request = read(&stream);
                let answer = signer.answer(&request);
                notes.lock().unwrap().push(request);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self {
            address,
            pem: certificate.pem(),
            asked,
        }
    }

    /// All requests so far, with their bodies.
    ///
    /// # Panics
    /// If the service has panicked.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What a registry's configuration says of the service.
    pub(super) fn settings(&self, directory: &Path) -> String {
        let bundle = directory.join("token.crt");
        fs::write(&bundle, &self.pem).unwrap();
        format!(
            "auth:\n  token:\n    realm: http://{}/token\n    service: {SERVICE}\n    issuer: {ISSUER}\n    rootcertbundle: {}\n",
            self.address,
            bundle.display()
        )
    }
}

fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        if reader.read_line(&mut text).unwrap_or(0) == 0 {
            return text;
        }
    }
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<u64>().ok())?
    });
    let _ = reader.take(length.unwrap_or(0)).read_to_string(&mut text);
    text
}

impl Signer {
    fn answer(&self, request: &str) -> String {
        let basic = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
        let line = request.lines().next().unwrap_or_default();
        let known = request.contains(&basic) || request.contains(&format!("={IDENTITY}"));
        if !known && (request.contains("Basic ") || line.starts_with("POST")) {
            let body = r#"{"details":"wrong password"}"#;
            return format!(
                "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
        }
        let (_, query) = line
            .split(' ')
            .nth(1)
            .unwrap_or_default()
            .split_once('?')
            .unwrap_or_default();
        let form = request.split("\r\n\r\n").nth(1).unwrap_or_default();
        let scopes = query.split('&').chain(form.split('&'));
        let scopes = scopes.filter_map(|pair| pair.strip_prefix("scope="));
        let access: Vec<_> = scopes.filter_map(|scope| access(scope, known)).collect();
        let body = json!({ "token": self.token(&access) }).to_string();
        format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn token(&self, access: &[serde_json::Value]) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let header = json!({
            "typ": "JWT",
            "alg": "ES256",
            "x5c": [BASE64_STANDARD.encode(&self.certificate)],
        });
        let claims = json!({
            "iss": ISSUER, "sub": USER, "aud": SERVICE, "jti": now.to_string(),
            "iat": now, "nbf": now - 60, "exp": now + 300, "access": access,
        });
        let encode = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), signed.as_bytes())
            .unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What a scope asks for, without what a stranger may not do.
fn access(scope: &str, known: bool) -> Option<serde_json::Value> {
    let scope = scope
        .replace("%3A", ":")
        .replace("%2F", "/")
        .replace("%2C", ",");
    let mut parts = scope.splitn(3, ':');
    let (kind, name, actions) = (parts.next()?, parts.next()?, parts.next()?);
    let actions: Vec<_> = actions
        .split(',')
        .filter(|it| known || *it == "pull")
        .collect();
    Some(json!({"type": kind, "name": name, "actions": actions}))
}
