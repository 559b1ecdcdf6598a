//! What the programs in a node read of pods, servers and people.

use kind_node::fuzzing;
use kind_node::load_balancer::Settings;

/// A pod's question and a server's answer to it. Input: the length of the question, and both.
pub fn dns_packets(data: &[u8]) {
    let Some((length, packets)) = data.split_first_chunk::<2>() else {
        return;
    };
    let length = usize::from(u16::from_be_bytes(*length)).min(packets.len());
    let (asked, answered) = packets.split_at(length);
    fuzzing::answer_packets(asked, answered);
}

/// Words of a command line of crictl, one a line.
pub fn crictl_arguments(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let words: Vec<String> = text.lines().map(str::to_owned).collect();
        fuzzing::read_crictl_arguments(&words);
    }
}

/// What a load balancer is told is read or refused; what is read is written and read again.
pub fn load_balancer(data: &[u8]) {
    if let Ok(settings) = serde_json::from_slice::<Settings>(data) {
        let again: Settings = serde_json::from_str(&settings.text()).expect("it was written");
        assert_eq!(again, settings);
    }
}
