//! What the programs of a node read of strangers, for fuzz targets.

use crate::crictl::is_command_line;
use crate::dns::wire::{
    Incoming, Outcome, Transport, UDP_PAYLOAD, edns_options, read_answer, read_packet,
    write_answer, write_question,
};

/// Both ends of a question: a pod's, and a server's that is asked for it. What is sent back fits its way, and nobody
/// answers answers.
pub fn answer_packets(asked: &[u8], answered: &[u8]) {
    let request = match read_packet(asked) {
        Incoming::Ask(request) => request,
        Incoming::Reply(reply) => {
            assert!(reply.len() <= usize::from(u16::MAX));
            assert!(matches!(read_packet(&reply), Incoming::Ignore));
            return;
        }
        Incoming::Ignore => return,
    };
    let question = &request.question;
    for edns in [None, Some(edns_options(question.dnssec_ok))] {
        let upstream = write_question(request.id, question, edns);
        assert!(matches!(read_packet(&upstream), Incoming::Ask(_)));
    }
    // Whoever answers knows the number of the question.
    let mut answered = answered.to_vec();
    if let Some(id) = answered.get_mut(..2) {
        id.copy_from_slice(&request.id.to_be_bytes());
    }
    let Outcome::Answer(answer) = read_answer(&answered, request.id, &request.question) else {
        return;
    };
    for (transport, limit) in [(Transport::Udp, UDP_PAYLOAD), (Transport::Tcp, u16::MAX)] {
        let packet = write_answer(&request, answer.clone(), transport);
        assert!(packet.len() <= usize::from(limit), "{}", packet.len());
        assert!(packet.is_empty() || matches!(read_packet(&packet), Incoming::Ignore));
    }
}

/// The words of a command line are read or refused.
pub fn read_crictl_arguments(words: &[String]) {
    let _ = is_command_line(words);
}
