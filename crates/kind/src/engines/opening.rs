//! From a choice to an engine.

use std::sync::Arc;

use kind_engine::command_line::Flavor;
use kind_engine::{Engine, EngineKind};

use super::choice::EngineChoice;
use super::client::{EngineParts, engine_client};
use super::detection::{self, Detection, Purpose, detect_engine};
use crate::{Code, Error, Result};

/// An engine that was opened.
pub(crate) struct Opened {
    pub(crate) engine: Arc<dyn Engine>,
    /// What the user should know of the choice: nothing better was there.
    pub(crate) notice: Option<String>,
}

impl From<Arc<dyn Engine>> for Opened {
    fn from(engine: Arc<dyn Engine>) -> Self {
        Self {
            engine,
            notice: None,
        }
    }
}

/// Opens the chosen engine.
pub(crate) fn open_engine(choice: EngineChoice, parts: EngineParts) -> Result<Opened> {
    let flavor = match choice {
        EngineChoice::Native => {
            let native = open_native(parts).map_err(NativeError::into_error)?;
            return Ok(native.into());
        }
        EngineChoice::Detect => {
            let detection = detect_engine(&parts, Purpose::Use);
            return open_detected(detection, parts);
        }
        EngineChoice::Docker => Flavor::Docker,
        EngineChoice::Podman => Flavor::Podman,
        EngineChoice::Nerdctl | EngineChoice::Finch | EngineChoice::NerdctlLima => Flavor::Nerdctl,
    };
    Ok(open_client(flavor, choice.name(), &parts).into())
}

/// The engine behind a program that was named. What comes as docker and is podman or nerdctl is driven as that.
fn open_client(flavor: Flavor, name: &str, parts: &EngineParts) -> Arc<dyn Engine> {
    let actual = match flavor {
        Flavor::Docker => detection::actual_flavor(flavor, name, parts),
        Flavor::Podman | Flavor::Nerdctl => flavor,
    };
    if actual != flavor {
        tracing::info!("{name} is {}, and is driven as that", actual.name());
    }
    Arc::new(engine_client(actual, name, parts))
}

/// What was found; otherwise nodes run natively.
fn open_detected(detection: Detection, parts: EngineParts) -> Result<Opened> {
    let passed = detection.describe_passed_over();
    let (installed, has_unseen) = (detection.first_installed(), detection.has_unseen());
    let choice = detection.describe_choice();
    if let Some(engine) = detection.engine {
        let behind: String = if passed.is_empty() {
            passed
        } else {
            format!("; {passed}")
        };
        let told = format!("using {choice}{behind}");
        if !has_unseen {
            tracing::info!("{told}");
        }
        return Ok(Opened {
            engine: Arc::new(engine),
            notice: has_unseen.then_some(told),
        });
    }
    let notice = |name: &str| {
        Some(format!(
            "using {name}, as no container engine answers: {passed}"
        ))
    };
    match open_native(parts.clone()) {
        // Without root this host has nothing to offer; most users mean the engine that they have, or docker.
        Err(NativeError::Unavailable(_)) => {
            let named = installed.and_then(EngineChoice::named);
            let opened = open_engine(named.unwrap_or(EngineChoice::Docker), parts)?;
            Ok(Opened {
                notice: notice(opened.engine.name()),
                ..opened
            })
        }
        opened => Ok(Opened {
            engine: opened.map_err(NativeError::into_error)?,
            notice: notice(EngineChoice::Native.name()),
        }),
    }
}

/// Why there is no native engine.
enum NativeError {
    /// This host, or this user, cannot have nodes of it at all.
    Unavailable(Error),
    /// It could be here, but something is wrong.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux could have it")
    )]
    Failed(Error),
}

impl NativeError {
    fn into_error(self) -> Error {
        match self {
            Self::Unavailable(error) | Self::Failed(error) => error,
        }
    }
}

/// The chosen engine for looking only, and which it is; none if it does not answer. Nothing is made for
/// it: the native engine answers only where it has worked before.
pub(crate) fn find_engine(
    choice: EngineChoice,
    parts: EngineParts,
) -> (EngineKind, Option<Arc<dyn Engine>>) {
    let detection = (choice == EngineChoice::Detect).then(|| detect_engine(&parts, Purpose::Look));
    let is_found = matches!(&detection, Some(detection) if detection.engine.is_some());
    let kind = match choice {
        EngineChoice::Detect if cfg!(target_os = "linux") => EngineKind::Native,
        EngineChoice::Native => EngineKind::Native,
        EngineChoice::Detect | EngineChoice::Docker => EngineKind::Docker,
        EngineChoice::Podman => EngineKind::Podman,
        EngineChoice::Nerdctl | EngineChoice::Finch | EngineChoice::NerdctlLima => {
            EngineKind::Nerdctl
        }
    };
    if kind == EngineKind::Native && !is_found && !parts.state_dir.is_dir() {
        return (kind, None);
    }
    let opened = match detection {
        Some(detection) => open_detected(detection, parts),
        None => open_engine(choice, parts),
    };
    match opened {
        Ok(opened) => (opened.engine.kind(), Some(opened.engine)),
        Err(error) => {
            tracing::debug!(%error, name = kind.name(), "no engine to ask");
            (kind, None)
        }
    }
}

#[cfg(target_os = "linux")]
fn open_native(parts: EngineParts) -> std::result::Result<Arc<dyn Engine>, NativeError> {
    let options = kind_engine::native::NativeOptions {
        state_dir: parts.state_dir,
        helper: parts.helper,
        environment: parts.environment,
    };
    let failed = Error::engine(Code::EngineUnavailable, "failed to open the native engine");
    match kind_engine::native::Native::open_state(options) {
        Ok(engine) => Ok(Arc::new(engine)),
        Err(error @ kind_engine::Error::NotRoot) => Err(NativeError::Unavailable(failed(error))),
        Err(error) => Err(NativeError::Failed(failed(error))),
    }
}

#[cfg(not(target_os = "linux"))]
fn open_native(_: EngineParts) -> std::result::Result<Arc<dyn Engine>, NativeError> {
    Err(NativeError::Unavailable(Error::EngineUnavailable {
        engine: EngineKind::Native.name().to_owned(),
        reason: "it needs Linux".to_owned(),
    }))
}
