//! How values of the model stand in columns.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::model::{Direction, Fate, Key, Kind, SourceState, Standing, Timestamp};

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.millis().into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self::from_millis)
    }
}

impl ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Key {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl ToSql for Direction {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code = match self {
            Self::Outbound => 0,
            Self::Inbound => 1,
            Self::Mutual => 2,
        };
        Ok(i64::into(code))
    }
}

impl FromSql for Direction {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match i64::column_result(value)? {
            0 => Ok(Self::Outbound),
            1 => Ok(Self::Inbound),
            2 => Ok(Self::Mutual),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code = match self {
            Self::Message => 0,
            Self::Meeting => 1,
        };
        Ok(i64::into(code))
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match i64::column_result(value)? {
            0 => Ok(Self::Message),
            1 => Ok(Self::Meeting),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl ToSql for Standing {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code = match self {
            Self::Sound => 0,
            Self::Unverified => 1,
            Self::Unproven => 2,
        };
        Ok(i64::into(code))
    }
}

impl FromSql for Standing {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match i64::column_result(value)? {
            0 => Ok(Self::Sound),
            1 => Ok(Self::Unverified),
            2 => Ok(Self::Unproven),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl ToSql for Fate {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code = match self {
            Self::Cancelled => 0,
            Self::DeclinedByRep => 1,
            Self::DeclinedByContact => 2,
        };
        Ok(i64::into(code))
    }
}

impl FromSql for Fate {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match i64::column_result(value)? {
            0 => Ok(Self::Cancelled),
            1 => Ok(Self::DeclinedByRep),
            2 => Ok(Self::DeclinedByContact),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl ToSql for SourceState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.code().into())
    }
}

impl FromSql for SourceState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_code(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

/// Keys as bytes, 8 each, big-endian.
pub(super) fn pack(keys: &[Key]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(keys.len() * 8);
    keys.iter().for_each(|key| bytes.extend_from_slice(&key.0.to_be_bytes()));
    bytes
}

/// The reverse of [`pack`].
pub(super) fn unpack(bytes: &[u8]) -> Vec<Key> {
    let (whole, _) = bytes.as_chunks::<8>();
    whole.iter().map(|key| Key(i64::from_be_bytes(*key))).collect()
}
