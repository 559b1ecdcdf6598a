//! From packets to questions, and from answers to packets.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::Record;
use hickory_proto::rr::RecordType;

use super::message::{Answer, Question};

/// Largest answer over UDP that is not cut into fragments on any usual path.
pub(crate) const UDP_PAYLOAD: u16 = 1232;

/// Length of a DNS header.
const HEADER: usize = 12;

/// What a packet asks of us.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// To answer a question.
    Ask(Box<Request>),
    /// To send this back at once.
    Reply(Vec<u8>),
    /// Nothing.
    Ignore,
}

/// A question with what its answer's packet needs.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) question: Question,
    /// Number that the answer must repeat.
    pub(crate) id: u16,
    /// The client asked for recursion; the answer must repeat it.
    pub(crate) recursion_desired: bool,
    /// Largest answer over UDP that the client takes.
    pub(crate) payload: u16,
    /// The client speaks EDNS, so the answer must too.
    edns: bool,
}

/// How the answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// In one datagram.
    Udp,
    /// In a stream.
    Tcp,
}

impl Transport {
    /// Its name in logs and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// Reads a packet.
pub(crate) fn read_packet(packet: &[u8]) -> Incoming {
    let Ok(message) = Message::from_vec(packet) else {
        return refuse_unreadable(packet);
    };
    if message.metadata.message_type == MessageType::Response {
        // Answering answers is how two servers talk forever.
        return Incoming::Ignore;
    }
    let edns = message.edns.as_ref();
    let refusal = if message.metadata.op_code != OpCode::Query {
        Some(ResponseCode::NotImp)
    } else if message.queries.len() != 1 {
        Some(ResponseCode::FormErr)
    } else if edns.is_some_and(|edns| edns.version() > 0) {
        Some(ResponseCode::BADVERS)
    } else {
        None
    };
    match (refusal, message.queries.first()) {
        (None, Some(query)) if is_transfer(query.query_type()) => {
            refuse_message(&message, ResponseCode::Refused)
        }
        (None, Some(query)) => Incoming::Ask(Box::new(Request {
            question: Question {
                name: query.name().clone(),
                kind: query.query_type(),
                class: query.query_class(),
                dnssec_ok: edns.is_some_and(|edns| edns.flags().dnssec_ok),
                checking_disabled: message.metadata.checking_disabled,
            },
            id: message.metadata.id,
            recursion_desired: message.metadata.recursion_desired,
            payload: message.max_payload().min(UDP_PAYLOAD),
            edns: edns.is_some(),
        })),
        (code, _) => refuse_message(&message, code.unwrap_or(ResponseCode::FormErr)),
    }
}

/// Writes the packet of an answer. Over UDP it is cut to what the client takes: first the additional
/// records go, then, with the mark that makes the client come again over TCP, as many answers as
/// needed.
pub(crate) fn write_answer(request: &Request, answer: Answer, transport: Transport) -> Vec<u8> {
    let mut message = build_message(request, answer);
    let limit = match transport {
        Transport::Udp => usize::from(request.payload),
        Transport::Tcp => usize::from(u16::MAX),
    };
    let encode = |message: &Message| message.to_vec().ok().filter(|all| all.len() <= limit);
    if let Some(packet) = encode(&message) {
        return packet;
    }
    message.additionals.clear();
    if let Some(packet) = encode(&message) {
        return packet;
    }
    message.metadata.truncation = true;
    message.authorities.clear();
    let all = std::mem::take(&mut message.answers);
    let mut fitting = largest_packet(all.len(), |count| {
        message.answers = all.iter().take(count).cloned().collect();
        encode(&message)
    });
    if fitting.is_none() {
        fitting = encode(&build_refusal(
            request.id,
            OpCode::Query,
            ResponseCode::ServFail,
        ));
    }
    fitting.unwrap_or_default()
}

/// Returns the packet with the most records that still fits, by halving.
fn largest_packet(all: usize, mut encode: impl FnMut(usize) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let (mut fits, mut too_many) = (0, all + 1);
    let mut packet = encode(0);
    while too_many - fits > 1 {
        let middle = fits.midpoint(too_many);
        match encode(middle) {
            Some(larger) => (fits, packet) = (middle, Some(larger)),
            None => too_many = middle,
        }
    }
    packet
}

/// Makes the message of an answer.
fn build_message(request: &Request, answer: Answer) -> Message {
    let question = &request.question;
    let mut message = build_refusal(request.id, OpCode::Query, answer.code);
    let mut query = hickory_proto::op::Query::query(question.name.clone(), question.kind);
    query.set_query_class(question.class);
    message.add_query(query);
    message.metadata.authoritative = answer.authoritative;
    message.metadata.authentic_data = answer.authentic;
    message.metadata.truncation = answer.truncated;
    message.metadata.recursion_desired = request.recursion_desired;
    message.metadata.checking_disabled = question.checking_disabled;
    message.answers = answer.answers;
    message.authorities = answer.authorities;
    message.additionals = answer.additionals;
    if request.edns {
        message.set_edns(edns_options(question.dnssec_ok));
    }
    message
}

/// What we say about ourselves in EDNS.
pub(crate) fn edns_options(dnssec_ok: bool) -> Edns {
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_PAYLOAD)
        .set_dnssec_ok(dnssec_ok)
        .set_version(0);
    edns
}

/// A message without records.
fn build_refusal(id: u16, op_code: OpCode, code: ResponseCode) -> Message {
    let mut message = Message::error_msg(id, op_code, code);
    message.metadata.recursion_available = true;
    message
}

/// Refuses a message that could be read.
fn refuse_message(message: &Message, code: ResponseCode) -> Incoming {
    let mut reply = build_refusal(message.metadata.id, message.metadata.op_code, code);
    reply.metadata.recursion_desired = message.metadata.recursion_desired;
    if message.queries.len() == 1 {
        reply.add_queries(message.queries.clone());
    }
    if message.edns.is_some() {
        reply.set_edns(edns_options(false));
    }
    reply.to_vec().map_or(Incoming::Ignore, Incoming::Reply)
}

/// Refuses a packet that could not be read, if it has at least the header of a question.
fn refuse_unreadable(packet: &[u8]) -> Incoming {
    let Some(&[high, low, flags, ..]) = packet.get(..HEADER) else {
        return Incoming::Ignore;
    };
    if flags & 0x80 != 0 {
        return Incoming::Ignore;
    }
    let id = u16::from_be_bytes([high, low]);
    build_refusal(id, OpCode::Query, ResponseCode::FormErr)
        .to_vec()
        .map_or(Incoming::Ignore, Incoming::Reply)
}

/// Tells whether a type asks for the whole zone, which nobody gets.
fn is_transfer(kind: RecordType) -> bool {
    matches!(kind, RecordType::AXFR | RecordType::IXFR)
}

/// Makes the packet that asks an upstream server, with EDNS for those that know it.
pub(crate) fn write_question(id: u16, question: &Question, edns: Option<Edns>) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    let mut query = hickory_proto::op::Query::query(question.name.clone(), question.kind);
    query.set_query_class(question.class);
    message.add_query(query);
    message.metadata.recursion_desired = true;
    message.metadata.checking_disabled = question.checking_disabled;
    // Resolvers tell whether they validated to those who ask; we pass on what clients asked.
    message.metadata.authentic_data = question.dnssec_ok;
    message.edns = edns;
    message.to_vec().unwrap_or_default()
}

/// What an upstream server sent.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer to our question, as far as it fits.
    Answer(Answer),
    /// Something else, from somebody else, or too late.
    Unrelated,
}

/// Reads what an upstream server sent in answer to [`write_question`].
pub(crate) fn read_answer(packet: &[u8], id: u16, question: &Question) -> Outcome {
    let Ok(message) = Message::from_vec(packet) else {
        return Outcome::Unrelated;
    };
    let metadata = &message.metadata;
    if metadata.message_type != MessageType::Response || metadata.id != id {
        return Outcome::Unrelated;
    }
    let repeated = message.queries.first().is_some_and(|query| {
        query.name() == &question.name
            && query.query_type() == question.kind
            && query.query_class() == question.class
    });
    // A server that cannot even read the question may leave it out.
    let speechless = message.queries.is_empty() && metadata.response_code != ResponseCode::NoError;
    if !repeated && !speechless {
        return Outcome::Unrelated;
    }
    Outcome::Answer(Answer {
        code: metadata.response_code,
        authoritative: false,
        authentic: metadata.authentic_data,
        truncated: metadata.truncation,
        answers: message.answers,
        authorities: message.authorities,
        additionals: strip_hop_records(message.additionals),
    })
}

/// Leaves out what belongs to one hop only.
fn strip_hop_records(mut records: Vec<Record>) -> Vec<Record> {
    records.retain(|record| {
        !matches!(
            record.record_type(),
            RecordType::OPT | RecordType::TSIG | RecordType::SIG
        )
    });
    records
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_proto::op::Query;
    use hickory_proto::rr::rdata::A;
    use hickory_proto::rr::{DNSClass, Name, RData};
    use proptest::prelude::*;

    use super::*;

    fn query(edns: Option<u16>) -> Message {
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        let name = Name::from_ascii("Big.default.svc.cluster.local.").unwrap();
        message.add_query(Query::query(name, RecordType::A));
        if let Some(payload) = edns {
            let mut edns = Edns::new();
            edns.set_max_payload(payload);
            message.set_edns(edns);
        }
        message
    }

    fn request(edns: Option<u16>) -> Request {
        match read_packet(&query(edns).to_vec().unwrap()) {
            Incoming::Ask(request) => *request,
            other => panic!("{other:?}"),
        }
    }

    fn many(count: u8) -> Answer {
        let name = Name::from_ascii("Big.default.svc.cluster.local.").unwrap();
        let record = |last| {
            let address = Ipv4Addr::new(10, 0, 0, last);
            Record::from_rdata(name.clone(), 30, RData::A(A(address)))
        };
        Answer {
            answers: (0..count).map(record).collect(),
            additionals: vec![record(255)],
            ..Answer::without_records(ResponseCode::NoError)
        }
    }

    fn refusal_code(message: &Message) -> ResponseCode {
        match read_packet(&message.to_vec().unwrap()) {
            Incoming::Reply(packet) => Message::from_vec(&packet).unwrap().metadata.response_code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answer_is_cut_to_what_the_client_takes() {
        for (edns, transport, count, limit) in [
            (None, Transport::Udp, 200, 512),
            (Some(100), Transport::Udp, 200, 512),
            (Some(900), Transport::Udp, 200, 900),
            (Some(4096), Transport::Udp, 200, 1232),
        ] {
            let packet = write_answer(&request(edns), many(count), transport);
            let message = Message::from_vec(&packet).unwrap();
            assert!(packet.len() <= limit && packet.len() > limit - 16);
            assert!(message.metadata.truncation);
            assert!(message.additionals.is_empty());
            assert_eq!(message.edns.is_some(), edns.is_some());
        }
    }

    #[test]
    fn additionals_go_without_a_mark() {
        let room = write_answer(&request(Some(1232)), many(70), Transport::Tcp).len();
        let answer = many(70);
        let packet = write_answer(
            &request(Some(u16::try_from(room).unwrap() - 1)),
            answer,
            Transport::Udp,
        );
        let message = Message::from_vec(&packet).unwrap();
        assert!(!message.metadata.truncation);
        assert_eq!((message.answers.len(), message.additionals.len()), (70, 0));
    }

    #[test]
    fn nothing_is_cut_over_tcp() {
        let packet = write_answer(&request(None), many(200), Transport::Tcp);
        let message = Message::from_vec(&packet).unwrap();
        assert_eq!(message.answers.len(), 200);
        assert!(!message.metadata.truncation);
    }

    #[test]
    fn answer_repeats_the_question_as_it_was_spelled() {
        let packet = write_answer(&request(None), many(1), Transport::Udp);
        let message = Message::from_vec(&packet).unwrap();
        assert_eq!(message.metadata.id, 7);
        let name = Name::from_ascii("Big.default.svc.cluster.local.").unwrap();
        assert!(message.queries[0].name().eq_case(&name));
    }

    #[test]
    fn wrong_messages_are_refused() {
        let mut update = query(None);
        update.metadata.op_code = OpCode::Notify;
        assert_eq!(refusal_code(&update), ResponseCode::NotImp);

        let mut none = query(None);
        none.queries.clear();
        assert_eq!(refusal_code(&none), ResponseCode::FormErr);

        let mut two = query(None);
        two.add_query(two.queries[0].clone());
        assert_eq!(refusal_code(&two), ResponseCode::FormErr);

        let mut newer = query(Some(1232));
        if let Some(edns) = newer.edns.as_mut() {
            edns.set_version(1);
        }
        // Number 16 has two names.
        let number = u16::from(refusal_code(&newer));
        assert_eq!(number, u16::from(ResponseCode::BADVERS));

        let mut transfer = query(None);
        transfer.queries[0].set_query_type(RecordType::AXFR);
        assert_eq!(refusal_code(&transfer), ResponseCode::Refused);
    }

    #[test]
    fn unreadable_question_gets_an_error_and_an_answer_nothing() {
        let mut packet = query(None).to_vec().unwrap();
        packet.truncate(20);
        assert!(matches!(read_packet(&packet), Incoming::Reply(reply) if reply[..2] == [0, 7]));
        packet[2] |= 0x80;
        assert!(matches!(read_packet(&packet), Incoming::Ignore));
        assert!(matches!(read_packet(&packet[..11]), Incoming::Ignore));
        let answer = Message::response(7, OpCode::Query).to_vec().unwrap();
        assert!(matches!(read_packet(&answer), Incoming::Ignore));
    }

    #[test]
    fn upstream_answer_must_match_the_question() {
        let request = request(None);
        let packet = write_answer(&request, many(1), Transport::Udp);
        let judge = |id, question: &Question| read_answer(&packet, id, question);
        let is_cut = |outcome| match outcome {
            Outcome::Answer(answer) => answer.truncated,
            Outcome::Unrelated => panic!("{outcome:?}"),
        };
        assert!(!is_cut(judge(7, &request.question)));
        assert!(matches!(judge(8, &request.question), Outcome::Unrelated));
        let other = Question {
            class: DNSClass::CH,
            ..request.question.clone()
        };
        assert!(matches!(judge(7, &other), Outcome::Unrelated));
        let cut = write_answer(&request, many(200), Transport::Udp);
        assert!(is_cut(read_answer(&cut, 7, &request.question)));
    }

    proptest! {
        #[test]
        fn any_packet_is_read_without_panic(packet in proptest::collection::vec(any::<u8>(), 0..600)) {
            check(&packet);
        }

        #[test]
        fn any_damaged_packet_is_read_without_panic(
            place in 0usize..60, value in any::<u8>(), length in 0usize..80,
        ) {
            let mut packet = query(Some(4096)).to_vec().unwrap();
            if let Some(byte) = packet.get_mut(place) {
                *byte = value;
            }
            packet.truncate(length);
            check(&packet);
        }
    }

    /// Reads a packet as both sides would, and answers it.
    fn check(packet: &[u8]) {
        let known = request(None);
        let _ = read_answer(packet, known.id, &known.question);
        match read_packet(packet) {
            Incoming::Ask(request) => {
                let reply = write_answer(&request, many(200), Transport::Udp);
                assert!(reply.len() <= usize::from(UDP_PAYLOAD));
                assert!(Message::from_vec(&reply).is_ok());
            }
            Incoming::Reply(reply) => assert!(Message::from_vec(&reply).is_ok()),
            Incoming::Ignore => {}
        }
    }
}
