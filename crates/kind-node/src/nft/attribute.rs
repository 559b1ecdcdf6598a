//! Numbers of attributes, by their names in the kernel (`NFTA_…` in `linux/netfilter/nf_tables.h`).

// Of every message about a table.
pub(super) const TABLE_NAME: u16 = 1;

// Of chains.
pub(super) const CHAIN_NAME: u16 = 3;
pub(super) const CHAIN_HOOK: u16 = 4;
pub(super) const CHAIN_POLICY: u16 = 5;
pub(super) const CHAIN_TYPE: u16 = 7;

// Of where chains are hooked in.
pub(super) const HOOK_HOOKNUM: u16 = 1;
pub(super) const HOOK_PRIORITY: u16 = 2;
pub(super) const HOOK_DEV: u16 = 3;

// Of rules.
pub(super) const RULE_CHAIN: u16 = 2;
pub(super) const RULE_EXPRESSIONS: u16 = 4;

// Of sets and maps.
pub(super) const SET_NAME: u16 = 2;
pub(super) const SET_FLAGS: u16 = 3;
pub(super) const SET_KEY_TYPE: u16 = 4;
pub(super) const SET_KEY_LEN: u16 = 5;
pub(super) const SET_DATA_TYPE: u16 = 6;
pub(super) const SET_DATA_LEN: u16 = 7;
pub(super) const SET_ID: u16 = 10;

// Of elements.
pub(super) const SET_ELEM_LIST_SET: u16 = 2;
pub(super) const SET_ELEM_LIST_ELEMENTS: u16 = 3;
pub(super) const SET_ELEM_KEY: u16 = 1;
pub(super) const SET_ELEM_DATA: u16 = 2;
pub(super) const SET_ELEM_FLAGS: u16 = 3;

// Of lists and values.
pub(super) const LIST_ELEM: u16 = 1;
pub(super) const DATA_VALUE: u16 = 1;
pub(super) const DATA_VERDICT: u16 = 2;
pub(super) const VERDICT_CODE: u16 = 1;
pub(super) const VERDICT_CHAIN: u16 = 2;

// Of expressions, and each kind of them.
pub(super) const EXPR_NAME: u16 = 1;
pub(super) const EXPR_DATA: u16 = 2;
pub(super) const BITWISE_SREG: u16 = 1;
pub(super) const BITWISE_DREG: u16 = 2;
pub(super) const BITWISE_LEN: u16 = 3;
pub(super) const BITWISE_MASK: u16 = 4;
pub(super) const BITWISE_XOR: u16 = 5;
pub(super) const CMP_SREG: u16 = 1;
pub(super) const CMP_OP: u16 = 2;
pub(super) const CMP_DATA: u16 = 3;
pub(super) const CT_DREG: u16 = 1;
pub(super) const CT_KEY: u16 = 2;
pub(super) const FIB_DREG: u16 = 1;
pub(super) const FIB_RESULT: u16 = 2;
pub(super) const FIB_FLAGS: u16 = 3;
pub(super) const FWD_SREG_DEV: u16 = 1;
pub(super) const FWD_SREG_ADDR: u16 = 2;
pub(super) const FWD_NFPROTO: u16 = 3;
pub(super) const HASH_SREG: u16 = 1;
pub(super) const HASH_DREG: u16 = 2;
pub(super) const HASH_LEN: u16 = 3;
pub(super) const HASH_MODULUS: u16 = 4;
pub(super) const HASH_SEED: u16 = 5;
pub(super) const IMMEDIATE_DREG: u16 = 1;
pub(super) const IMMEDIATE_DATA: u16 = 2;
pub(super) const LOOKUP_SET: u16 = 1;
pub(super) const LOOKUP_SREG: u16 = 2;
pub(super) const LOOKUP_DREG: u16 = 3;
pub(super) const LOOKUP_FLAGS: u16 = 5;
pub(super) const META_DREG: u16 = 1;
pub(super) const META_KEY: u16 = 2;
pub(super) const PAYLOAD_DREG: u16 = 1;
pub(super) const PAYLOAD_BASE: u16 = 2;
pub(super) const PAYLOAD_OFFSET: u16 = 3;
pub(super) const PAYLOAD_LEN: u16 = 4;
pub(super) const REJECT_TYPE: u16 = 1;
pub(super) const REJECT_ICMP_CODE: u16 = 2;
