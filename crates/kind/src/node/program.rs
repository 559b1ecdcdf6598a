//! A program in a running node and what it prints.

use kind_engine::{Command, Engine, Io};

use crate::error::FailedStep;
use crate::{Code, Error, Result};

/// What a program prints to its stdout; its failure is an error with everything that it printed.
pub(crate) fn read_output(engine: &dyn Engine, node: &str, argv: &[&str]) -> Result<String> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let command = Command::new(argv.iter().copied());
    let action = format!("failed to run {} in node {node:?}", argv.join(" "));
    let code = engine.exec(node, &command, Io::new(None, &mut stdout, &mut stderr));
    match code.map_err(Error::engine(Code::NodeReach, action.clone()))? {
        0 => Ok(String::from_utf8_lossy(&stdout).into_owned()),
        code => Err(FailedStep {
            node: node.to_owned(),
            action,
            reason: format!("exit status {code}"),
            output: String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned(),
            causes: Vec::new(),
        }
        .into_error()),
    }
}
