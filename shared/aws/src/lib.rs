//! The outside: adapters over the AWS SDK, and the start-up of a function.
