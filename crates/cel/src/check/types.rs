//! Types, and which of them fit each other. Models cel-go's `checker/{types,format,mapping}.go`.

use super::Fields;
use std::fmt;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub enum Type {
    Dyn,
    /// Of what is wrong and already said to be.
    Error,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Duration,
    Timestamp,
    List(Rc<Type>),
    Map(Rc<(Type, Type)>),
    /// An object with these fields and no others, by its name.
    Object(Rc<str>, Rc<Fields>),
    /// Objects of the libraries: `kubernetes.Quantity`.
    Named(&'static str),
    /// Values of the libraries that have no fields: `net.IP`.
    Opaque(&'static str),
    Optional(Rc<Type>),
    /// The type of types.
    Type(Option<Rc<Type>>),
    /// What is to be found out.
    Var(usize),
}

impl Type {
    pub fn list(of: Type) -> Type {
        Type::List(Rc::new(of))
    }
    pub fn map(key: Type, value: Type) -> Type {
        Type::Map(Rc::new((key, value)))
    }
    pub fn optional(of: Type) -> Type {
        Type::Optional(Rc::new(of))
    }
    pub fn object(name: &str, fields: impl IntoIterator<Item = (String, Type)>) -> Type {
        Type::Object(name.into(), Rc::new(Fields::Types(fields.into_iter().collect())))
    }
    pub fn is_dyn_or_error(&self) -> bool {
        matches!(self, Type::Dyn | Type::Error)
    }
    /// What an optional value is when it is there, and whether it is one.
    pub fn unwrapped(&self) -> (&Type, bool) {
        match self {
            Type::Optional(of) => (of, true),
            other => (other, false),
        }
    }
    fn parts(&self) -> Vec<&Type> {
        match self {
            Type::List(of) | Type::Optional(of) | Type::Type(Some(of)) => vec![of],
            Type::Map(of) => vec![&of.0, &of.1],
            _ => Vec::new(),
        }
    }
    fn is_nullable(&self) -> bool {
        use Type::{Duration, Named, Null, Object, Opaque, Optional, Timestamp};
        matches!(self, Null | Object(..) | Named(_) | Opaque(_) | Optional(_) | Duration | Timestamp)
    }
    /// With other types in it.
    fn with(&self, change: &mut impl FnMut(&Type) -> Type) -> Type {
        match self {
            Type::List(of) => Type::list(change(of)),
            Type::Optional(of) => Type::optional(change(of)),
            Type::Map(of) => Type::map(change(&of.0), change(&of.1)),
            Type::Type(Some(of)) => Type::Type(Some(Rc::new(change(of)))),
            other => other.clone(),
        }
    }
    /// Variables moved up: those of a signature to fresh ones.
    pub fn shifted(&self, by: usize) -> Type {
        match self {
            Type::Var(n) => Type::Var(n + by),
            other => other.with(&mut |t| t.shifted(by)),
        }
    }
}

impl PartialEq for Type {
    fn eq(&self, other: &Type) -> bool {
        use std::mem::discriminant;
        if discriminant(self) != discriminant(other) {
            return false;
        }
        match (self, other) {
            (Type::Object(a, _), Type::Object(b, _)) => a == b,
            (Type::Named(a), Type::Named(b)) | (Type::Opaque(a), Type::Opaque(b)) => a == b,
            (Type::Var(a), Type::Var(b)) => a == b,
            _ => self.parts() == other.parts(),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dyn => f.write_str("dyn"),
            Type::Error => f.write_str("!error!"),
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Uint => f.write_str("uint"),
            Type::Double => f.write_str("double"),
            Type::Text => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Duration => f.write_str("duration"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::List(of) => write!(f, "list({of})"),
            Type::Map(of) => write!(f, "map({}, {})", of.0, of.1),
            Type::Object(name, _) => f.write_str(name),
            Type::Named(name) | Type::Opaque(name) => f.write_str(name),
            Type::Optional(of) => write!(f, "optional_type({of})"),
            Type::Type(None) => f.write_str("type"),
            Type::Type(Some(of)) => write!(f, "type({of})"),
            Type::Var(n) => write!(f, "_var{n}"),
        }
    }
}

/// What has been found out of the variables.
#[derive(Clone, Default)]
pub(super) struct Found(Vec<Option<Type>>);

impl Found {
    fn get(&self, n: usize) -> Option<&Type> {
        self.0.get(n)?.as_ref()
    }
    fn set(&mut self, n: usize, t: Type) {
        if self.0.len() <= n {
            self.0.resize(n + 1, None);
        }
        self.0[n] = Some(t);
    }

    /// With what is known in place of variables; the others as `dyn` if so wanted.
    pub fn resolved(&self, t: &Type, rest_is_dyn: bool) -> Type {
        match t {
            Type::Var(n) => match self.get(*n) {
                Some(known) => self.resolved(known, rest_is_dyn),
                None if rest_is_dyn => Type::Dyn,
                None => t.clone(),
            },
            other => other.with(&mut |t| self.resolved(t, rest_is_dyn)),
        }
    }

    /// Whether the types fit, pairwise; what that tells of variables is kept only if all do.
    pub fn fit<'a>(&mut self, pairs: impl IntoIterator<Item = (&'a Type, &'a Type)>) -> bool {
        let mut tried = self.clone();
        let fits = pairs.into_iter().all(|(a, b)| tried.fits(a, b));
        if fits {
            *self = tried;
        }
        fits
    }

    fn fits(&mut self, a: &Type, b: &Type) -> bool {
        if let Type::Var(n) = b {
            match self.stands_for(a, *n) {
                (true, _) => return true,
                (false, true) => return false,
                _ => {}
            }
        }
        if let Type::Var(n) = a {
            return self.stands_for(b, *n).0;
        }
        if a.is_dyn_or_error() || b.is_dyn_or_error() {
            return true;
        }
        match (a, b) {
            (Type::Null, t) | (t, Type::Null) => t.is_nullable(),
            (Type::Type(_), Type::Type(_)) => true,
            (Type::List(_), Type::List(_)) | (Type::Map(_), Type::Map(_)) | (Type::Optional(_), Type::Optional(_)) => {
                let (a, b) = (a.parts(), b.parts());
                a.into_iter().zip(b).all(|(a, b)| self.fits(a, b))
            }
            (a, b) => a == b,
        }
    }

    /// Whether the variable may stand for the type, and whether it was known before what it stands for.
    fn stands_for(&mut self, t: &Type, n: usize) -> (bool, bool) {
        if matches!(t, Type::Var(m) if *m == n) {
            return (true, true);
        }
        if let Some(known) = self.get(n).cloned() {
            if *t == known {
                return (true, true);
            }
            if !self.fits(t, &known) {
                return (false, true);
            }
            let general = if is_less_specific(t, &known) { t.clone() } else { known };
            if !self.occurs(n, &general) {
                self.set(n, general);
            }
            return (true, true);
        }
        if self.occurs(n, t) {
            return (false, false);
        }
        self.set(n, t.clone());
        (true, false)
    }

    fn occurs(&self, n: usize, within: &Type) -> bool {
        match within {
            Type::Var(m) => *m == n || self.get(*m).is_some_and(|t| self.occurs(n, t)),
            other => other.parts().into_iter().any(|t| self.occurs(n, t)),
        }
    }
}

/// The more general of two types that fit.
pub(super) fn general(a: &Type, b: &Type) -> Type {
    if is_less_specific(a, b) { a.clone() } else { b.clone() }
}

fn is_less_specific(a: &Type, b: &Type) -> bool {
    if matches!(a, Type::Dyn | Type::Var(_)) {
        return true;
    }
    if matches!(b, Type::Dyn | Type::Var(_)) {
        return false;
    }
    match (a, b) {
        (Type::Type(_), Type::Type(_)) => true,
        (Type::List(_), Type::List(_)) | (Type::Map(_), Type::Map(_)) | (Type::Optional(_), Type::Optional(_)) => {
            a.parts().into_iter().zip(b.parts()).all(|(a, b)| is_less_specific(a, b))
        }
        (a, b) => a == b,
    }
}
