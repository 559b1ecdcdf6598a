//! A program in a running node and what it prints.

use std::io::{self, Write};

use kind_engine::{Command, Engine, Io};

use crate::error::FailedStep;
use crate::{Code, Error, Result};

/// What a program prints to its stdout; its failure is an error with everything that it printed.
pub(crate) fn read_output(engine: &dyn Engine, node: &str, argv: &[&str]) -> Result<String> {
    let (mut stdout, mut stderr) = (LimitedOutput::default(), LimitedOutput::default());
    let command = Command::new(argv.iter().copied());
    let action = format!("failed to run {} in node {node:?}", argv.join(" "));
    let code = engine.exec(node, &command, Io::new(None, &mut stdout, &mut stderr));
    match code.map_err(Error::engine(Code::NodeReach, action.clone()))? {
        0 => Ok(String::from_utf8_lossy(&stdout.0).into_owned()),
        code => Err(FailedStep {
            node: node.to_owned(),
            action,
            reason: format!("exit status {code}"),
            output: String::from_utf8_lossy(&[stdout.0, stderr.0].concat()).into_owned(),
            causes: Vec::new(),
        }
        .into_error()),
    }
}

/// What a program prints, as long as it is not far more than any has to say.
#[derive(Debug, Default)]
pub(crate) struct LimitedOutput(pub(crate) Vec<u8>);

const MAX_OUTPUT: usize = 16 << 20;

impl Write for LimitedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use kind_engine::fake::Fake;

    use super::*;

    #[test]
    fn a_program_that_prints_without_end_is_cut_off() {
        let engine = Fake::new(
            &[],
            Box::new(|_, _, io| {
                loop {
                    let written = io.stdout.write_all(&[b'x'; 1 << 16]);
                    written.map_err(kind_engine::Error::io("writing"))?;
                }
            }),
        );
        let error = read_output(&engine, "n", &["yes"]).unwrap_err();
        assert_eq!(error.code(), Code::NodeReach);
    }
}
