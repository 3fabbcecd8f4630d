//! Integration tests: one binary, one module per subject.

#[cfg(test)]
mod config;
#[cfg(test)]
mod tidy;
