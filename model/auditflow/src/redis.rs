//! The cache: Valkey, called after the protocol that its client speaks.

use vocabulary::Valkey;

pub(crate) const REDIS: Valkey = Valkey::named("redis");
