//! One flag as data.

/// A flag of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    /// Long name without dashes.
    pub(crate) name: &'static str,
    /// One-letter name.
    pub(crate) short: Option<char>,
    /// What values it takes.
    pub(crate) kind: Kind,
    /// Value when it is not given; shown in the help unless empty.
    pub(crate) default: &'static str,
    /// Help text.
    pub(crate) help: &'static str,
}

/// What values a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// True when given; a value only after `=`.
    Bool,
    /// A 32-bit number in any of Go's spellings.
    Int32,
    /// Any text.
    String,
    /// A duration in Go's spelling, for example `1m30s`.
    Duration,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list: comma separated with CSV quoting, repeatable.
    Strings,
}

impl Flag {
    /// A switch.
    pub(crate) const fn switch(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Bool, help)
    }

    /// A flag that takes text.
    pub(crate) const fn text(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::String, help)
    }

    /// A flag without a short name and with an empty default.
    pub(crate) const fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            short: None,
            kind,
            default: "",
            help,
        }
    }

    /// The same flag with a one-letter name.
    pub(crate) const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    /// The same flag with a default.
    pub(crate) const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    /// How messages name the flag: `-v, --verbosity` or `--wait`.
    pub(crate) fn display(&self) -> String {
        match self.short {
            Some(short) => format!("-{short}, --{}", self.name),
            None => format!("--{}", self.name),
        }
    }

    /// Whether it stands without a value.
    pub(crate) fn stands_alone(&self) -> bool {
        self.kind == Kind::Bool
    }
}
