//! What every command needs: the user's words, the surroundings, and ways to reach the library.

use std::path::Path;
use std::sync::Arc;

use kind::{CancelToken, EngineChoice, EngineKind, KubeconfigFiles, Provider, ProviderBuilder};

use crate::agent;
use crate::args::Matches;
use crate::environment::Environment;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::ui::Ui;

/// The surroundings of a running command.
pub(crate) struct Context {
    /// What the process found around it.
    pub(crate) environment: Environment,
    /// Everything the user sees.
    pub(crate) ui: Arc<Ui>,
    /// The user's wish to stop.
    interrupt: Interrupt,
}

impl Context {
    /// Surroundings with this way to the user.
    pub(crate) fn new(environment: Environment, ui: Ui) -> Self {
        Self {
            environment,
            ui: Arc::new(ui),
            interrupt: Interrupt::default(),
        }
    }

    /// The library, with the engine that the user chose or that is there.
    pub(crate) fn provider(&self, matches: &Matches) -> Result<Provider, Failure> {
        self.open(self.builder(matches)?)
    }

    /// Opens an engine, and says what the user should know of it.
    pub(crate) fn open(&self, builder: ProviderBuilder) -> Result<Provider, Failure> {
        let provider = builder.open()?;
        if let Some(notice) = provider.engine_notice() {
            self.ui.warn(notice);
        }
        if provider.engine_kind() == EngineKind::Podman {
            self.ui.warn("enabling experimental podman provider");
        }
        Ok(provider)
    }

    /// The library before it looks for an engine.
    pub(crate) fn builder(&self, matches: &Matches) -> Result<ProviderBuilder, Failure> {
        let helper = std::env::current_exe().map_err(|error| {
            Failure::Message(format!("cannot find the running program: {error}"))
        })?;
        let directories = self.environment.directories();
        let mut builder = Provider::builder()
            .engine(self.engine_choice(matches)?)
            .state_dir(directories.state)
            .cache_dir(directories.cache)
            .temporary_dir(directories.temporary)
            .helper(helper)
            .environment(self.environment.texts());
        if let Some(agent) = agent::find_node_agent() {
            builder = builder.agent(agent);
        }
        Ok(builder)
    }

    fn engine_choice(&self, matches: &Matches) -> Result<EngineChoice, Failure> {
        if let Some(name) = matches.filled("provider") {
            let unknown =
                || format!("unknown provider {name:?}, known are: native, docker, podman, nerdctl");
            return EngineChoice::named(name).ok_or_else(|| Failure::Message(unknown()));
        }
        let Some(name) = self.environment.text_variable("KIND_EXPERIMENTAL_PROVIDER") else {
            return Ok(EngineChoice::Detect);
        };
        let chosen = EngineChoice::named(name);
        self.ui.warn(&match chosen {
            Some(_) => format!("using {name} due to KIND_EXPERIMENTAL_PROVIDER"),
            None => format!("ignoring unknown value {name:?} for KIND_EXPERIMENTAL_PROVIDER"),
        });
        Ok(chosen.unwrap_or(EngineChoice::Detect))
    }

    /// The name of the cluster: the flag, even an empty one, then the environment, then `kind`.
    pub(crate) fn cluster_name(&self, matches: &Matches) -> String {
        let given = self.given_name(matches).filter(|name| !name.is_empty());
        given.unwrap_or_else(|| kind::DEFAULT_CLUSTER_NAME.to_owned())
    }

    /// The name of the cluster if the user gave one.
    pub(crate) fn given_name(&self, matches: &Matches) -> Option<String> {
        let flag = matches.text_flag("name");
        flag.or_else(|| self.environment.text_variable("KIND_CLUSTER_NAME"))
            .map(str::to_owned)
    }

    /// The user's kubeconfig files.
    pub(crate) fn kubeconfig_files(&self, matches: &Matches) -> Result<KubeconfigFiles, Failure> {
        self.known_kubeconfig_files(matches).ok_or_else(|| {
            let text = "cannot tell where the kubeconfig is: HOME is not set; use --kubeconfig";
            Failure::Message(text.to_owned())
        })
    }

    /// The user's kubeconfig files; none where nothing says where they are.
    pub(crate) fn known_kubeconfig_files(&self, matches: &Matches) -> Option<KubeconfigFiles> {
        let explicit = matches.filled("kubeconfig").map(Path::new);
        let variable = self.environment.raw("KUBECONFIG");
        let home = self.environment.home();
        KubeconfigFiles::find(explicit, variable, home.as_deref())
    }

    /// Listens for the user's interrupts from here on.
    pub(crate) fn listen_for_interrupts(&self, matches: &Matches) {
        self.interrupt.listen(matches.filled("provider"), &self.ui);
    }

    /// A token that the user's first interrupt cancels; whoever takes it looks at it.
    pub(crate) fn interruptible(&self) -> CancelToken {
        self.interrupt.token()
    }
}
