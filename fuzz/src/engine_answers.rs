//! What engines' programs print.

use kind_engine::Code;
use kind_engine::command_line::{Flavor, Question, read_answer};

/// Any answer is read, always as the same, or refused as an answer of its engine.
pub fn engine_answers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for flavor in [Flavor::Docker, Flavor::Podman, Flavor::Nerdctl] {
        for question in Question::ALL {
            match read_answer(flavor, question, text) {
                Ok(read) => {
                    let again = read_answer(flavor, question, text);
                    assert_eq!(again.ok(), Some(read));
                }
                Err(error) => {
                    let code = error.code();
                    let known = [Code::Answer, Code::NoDaemon, Code::PodmanOld];
                    assert!(known.contains(&code), "{code:?}: {error}");
                }
            }
        }
    }
}
