//! The units that are known, each with its exact size.
//!
//! Sizes are those of the SI brochure (9th edition), the international yard and pound agreement
//! of 1959, NIST Handbook 44 for US customary measures, and IEC 80000-13 for bytes. Units whose
//! size depends on the country or the trade are left out, or say whose they are.

/// What a unit measures. Only units of one kind convert into each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Length,
    Area,
    Volume,
    Mass,
    Time,
    /// Months and longer: they have no fixed number of days.
    Calendar,
    Speed,
    Temperature,
    /// Bytes, or bits where the unit says so.
    Data,
    /// Bytes per second, or bits where the unit says so.
    DataRate,
    Pressure,
    Energy,
    Power,
    Frequency,
}

/// One unit.
#[derive(Debug)]
pub(super) struct Unit {
    /// How it is written behind a number in an answer.
    pub(super) symbol: &'static str,
    pub(super) kind: Kind,
    /// Its size in the base unit of its kind, as a decimal or a fraction.
    pub(super) size: &'static str,
    /// Written exactly so, capitals included.
    pub(super) exact: &'static [&'static str],
    /// Written so in any capitals; singular and plural.
    pub(super) names: &'static [&'static str],
    /// Whose measure it is, where that is a choice.
    pub(super) note: &'static str,
}

/// A unit whose spellings need no care.
const fn unit(
    symbol: &'static str,
    kind: Kind,
    size: &'static str,
    exact: &'static [&'static str],
    names: &'static [&'static str],
) -> Unit {
    Unit { symbol, kind, size, exact, names, note: "" }
}

const fn us(
    symbol: &'static str,
    kind: Kind,
    size: &'static str,
    names: &'static [&'static str],
) -> Unit {
    Unit { symbol, kind, size, exact: &[], names, note: "US" }
}

use Kind::{
    Area, Calendar, Data, DataRate, Energy, Frequency, Length, Mass, Power, Pressure, Speed,
    Temperature, Time, Volume,
};

/// All units. Base units: m, m², L, kg, s, month, m/s, K, byte, Pa, J, W, Hz.
pub(super) const UNITS: &[Unit] = &[
    unit("m", Length, "1", &["m"], &["meter", "meters", "metre", "metres"]),
    unit(
        "km",
        Length,
        "1000",
        &[],
        &["km", "kms", "kilometer", "kilometers", "kilometre", "kilometres"],
    ),
    unit(
        "cm",
        Length,
        "0.01",
        &[],
        &["cm", "cms", "centimeter", "centimeters", "centimetre", "centimetres"],
    ),
    unit("dm", Length, "0.1", &["dm"], &["decimeter", "decimeters", "decimetre", "decimetres"]),
    unit(
        "mm",
        Length,
        "0.001",
        &["mm", "MM"],
        &["millimeter", "millimeters", "millimetre", "millimetres"],
    ),
    unit(
        "µm",
        Length,
        "1e-6",
        &["µm", "μm", "um"],
        &["micrometer", "micrometers", "micrometre", "micrometres", "micron", "microns"],
    ),
    unit("nm", Length, "1e-9", &[], &["nanometer", "nanometers", "nanometre", "nanometres"]),
    unit("in", Length, "0.0254", &["\""], &["in", "inch", "inches"]),
    unit("ft", Length, "0.3048", &["'"], &["ft", "foot", "feet"]),
    unit("yd", Length, "0.9144", &[], &["yd", "yds", "yard", "yards"]),
    unit("mi", Length, "1609.344", &[], &["mi", "mile", "miles"]),
    unit("nmi", Length, "1852", &[], &["nmi", "nautical mile", "nautical miles"]),
    unit("au", Length, "149597870700", &["au", "AU"], &["astronomical unit", "astronomical units"]),
    unit(
        "ly",
        Length,
        "9460730472580800",
        &["ly"],
        &["light year", "light years", "light-year", "light-years", "lightyear", "lightyears"],
    ),
    unit("furlongs", Length, "201.168", &[], &["furlong", "furlongs"]),
    unit("fathoms", Length, "1.8288", &[], &["fathom", "fathoms"]),
    unit(
        "m²",
        Area,
        "1",
        &["m2", "m²"],
        &["square meter", "square meters", "square metre", "square metres", "sq m", "sqm"],
    ),
    unit(
        "km²",
        Area,
        "1000000",
        &["km2", "km²"],
        &[
            "square kilometer",
            "square kilometers",
            "square kilometre",
            "square kilometres",
            "sq km",
        ],
    ),
    unit(
        "cm²",
        Area,
        "0.0001",
        &["cm2", "cm²"],
        &[
            "square centimeter",
            "square centimeters",
            "square centimetre",
            "square centimetres",
            "sq cm",
        ],
    ),
    unit(
        "ft²",
        Area,
        "0.09290304",
        &["ft2", "ft²"],
        &["square foot", "square feet", "sq ft", "sqft"],
    ),
    unit("in²", Area, "0.00064516", &["in2", "in²"], &["square inch", "square inches", "sq in"]),
    unit("yd²", Area, "0.83612736", &["yd2", "yd²"], &["square yard", "square yards", "sq yd"]),
    unit("mi²", Area, "2589988.110336", &["mi2", "mi²"], &["square mile", "square miles", "sq mi"]),
    unit("acres", Area, "4046.8564224", &[], &["acre", "acres"]),
    unit("ha", Area, "10000", &["ha"], &["hectare", "hectares"]),
    unit("L", Volume, "1", &["l", "L"], &["liter", "liters", "litre", "litres"]),
    unit(
        "mL",
        Volume,
        "0.001",
        &["ml", "mL"],
        &["milliliter", "milliliters", "millilitre", "millilitres", "cc"],
    ),
    unit(
        "cL",
        Volume,
        "0.01",
        &["cl", "cL"],
        &["centiliter", "centiliters", "centilitre", "centilitres"],
    ),
    unit(
        "dL",
        Volume,
        "0.1",
        &["dl", "dL"],
        &["deciliter", "deciliters", "decilitre", "decilitres"],
    ),
    unit(
        "m³",
        Volume,
        "1000",
        &["m3", "m³"],
        &["cubic meter", "cubic meters", "cubic metre", "cubic metres"],
    ),
    unit(
        "cm³",
        Volume,
        "0.001",
        &["cm3", "cm³"],
        &["cubic centimeter", "cubic centimeters", "cubic centimetre", "cubic centimetres"],
    ),
    unit("ft³", Volume, "28.316846592", &["ft3", "ft³"], &["cubic foot", "cubic feet", "cu ft"]),
    unit("in³", Volume, "0.016387064", &["in3", "in³"], &["cubic inch", "cubic inches", "cu in"]),
    unit("yd³", Volume, "764.554857984", &["yd3", "yd³"], &["cubic yard", "cubic yards", "cu yd"]),
    us(
        "gal",
        Volume,
        "3.785411784",
        &["gallon", "gallons", "gal", "gals", "us gallon", "us gallons"],
    ),
    us("qt", Volume, "0.946352946", &["quart", "quarts", "qt", "us quart", "us quarts"]),
    us("pt", Volume, "0.473176473", &["pint", "pints", "us pint", "us pints"]),
    us("cups", Volume, "0.2365882365", &["cup", "cups", "us cup", "us cups"]),
    us(
        "fl oz",
        Volume,
        "0.0295735295625",
        &["fl oz", "fluid ounce", "fluid ounces", "us fluid ounces", "us fl oz"],
    ),
    us("tbsp", Volume, "0.01478676478125", &["tbsp", "tbsps", "tablespoon", "tablespoons"]),
    us("tsp", Volume, "0.00492892159375", &["tsp", "tsps", "teaspoon", "teaspoons"]),
    Unit {
        symbol: "gal",
        kind: Volume,
        size: "4.54609",
        exact: &[],
        names: &["imperial gallon", "imperial gallons", "uk gallon", "uk gallons"],
        note: "imperial",
    },
    Unit {
        symbol: "pt",
        kind: Volume,
        size: "0.56826125",
        exact: &[],
        names: &["imperial pint", "imperial pints", "uk pint", "uk pints"],
        note: "imperial",
    },
    unit(
        "kg",
        Mass,
        "1",
        &[],
        &["kg", "kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramme", "kilogrammes"],
    ),
    unit("g", Mass, "0.001", &["g"], &["gram", "grams", "gramme", "grammes"]),
    unit("mg", Mass, "1e-6", &["mg"], &["milligram", "milligrams", "milligramme", "milligrammes"]),
    unit("µg", Mass, "1e-9", &["µg", "μg", "ug", "mcg"], &["microgram", "micrograms"]),
    unit("t", Mass, "1000", &["t"], &["tonne", "tonnes", "metric ton", "metric tons"]),
    unit("lb", Mass, "0.45359237", &[], &["lb", "lbs", "pound", "pounds"]),
    unit("oz", Mass, "0.028349523125", &[], &["oz", "ounce", "ounces"]),
    unit("st", Mass, "6.35029318", &[], &["stone", "stones"]),
    unit("short tons", Mass, "907.18474", &[], &["short ton", "short tons", "us ton", "us tons"]),
    unit(
        "long tons",
        Mass,
        "1016.0469088",
        &[],
        &["long ton", "long tons", "imperial ton", "imperial tons"],
    ),
    unit("troy oz", Mass, "0.0311034768", &[], &["troy ounce", "troy ounces", "troy oz"]),
    unit("carats", Mass, "0.0002", &[], &["carat", "carats"]),
    unit("s", Time, "1", &["s"], &["sec", "secs", "second", "seconds"]),
    unit("ms", Time, "0.001", &["ms"], &["millisecond", "milliseconds", "msec"]),
    unit("µs", Time, "1e-6", &["µs", "μs", "us"], &["microsecond", "microseconds"]),
    unit("ns", Time, "1e-9", &["ns"], &["nanosecond", "nanoseconds"]),
    unit("min", Time, "60", &[], &["min", "mins", "minute", "minutes"]),
    unit("h", Time, "3600", &["h"], &["hr", "hrs", "hour", "hours"]),
    unit("days", Time, "86400", &["d"], &["day", "days"]),
    unit("weeks", Time, "604800", &[], &["wk", "wks", "week", "weeks"]),
    unit("fortnights", Time, "1209600", &[], &["fortnight", "fortnights"]),
    unit("months", Calendar, "1", &[], &["month", "months"]),
    unit("years", Calendar, "12", &[], &["year", "years", "yr", "yrs"]),
    unit("decades", Calendar, "120", &[], &["decade", "decades"]),
    unit("centuries", Calendar, "1200", &[], &["century", "centuries"]),
    unit("millennia", Calendar, "12000", &[], &["millennium", "millennia", "millenniums"]),
    unit(
        "m/s",
        Speed,
        "1",
        &["m/s"],
        &["meters per second", "metres per second", "meter per second"],
    ),
    unit(
        "km/h",
        Speed,
        "5/18",
        &[],
        &[
            "km/h",
            "kmh",
            "kph",
            "km/hr",
            "kmph",
            "kilometers per hour",
            "kilometres per hour",
            "km per hour",
        ],
    ),
    unit("mph", Speed, "0.44704", &[], &["mph", "mi/h", "miles per hour", "miles/hour"]),
    unit("ft/s", Speed, "0.3048", &[], &["ft/s", "feet per second"]),
    unit("kn", Speed, "1852/3600", &["kn"], &["knot", "knots"]),
    unit(
        "°C",
        Temperature,
        "1",
        &["C", "c", "°c", "°C"],
        &[
            "celsius",
            "centigrade",
            "degree celsius",
            "degrees celsius",
            "degrees centigrade",
            "degrees c",
            "degree c",
            "° celsius",
            "deg c",
        ],
    ),
    unit(
        "°F",
        Temperature,
        "5/9",
        &["F", "f", "°f", "°F"],
        &[
            "fahrenheit",
            "degree fahrenheit",
            "degrees fahrenheit",
            "degrees f",
            "degree f",
            "° fahrenheit",
            "deg f",
        ],
    ),
    unit("K", Temperature, "1", &["K"], &["kelvin", "kelvins", "degrees kelvin"]),
    unit("B", Data, "1", &["B"], &["byte", "bytes"]),
    unit("kB", Data, "1000", &["kB", "KB", "kb"], &["kilobyte", "kilobytes"]),
    unit("MB", Data, "1e6", &["MB", "mb"], &["megabyte", "megabytes"]),
    unit("GB", Data, "1e9", &["GB", "gb"], &["gigabyte", "gigabytes"]),
    unit("TB", Data, "1e12", &["TB", "tb"], &["terabyte", "terabytes"]),
    unit("PB", Data, "1e15", &["PB", "pb"], &["petabyte", "petabytes"]),
    unit("KiB", Data, "1024", &[], &["kib", "kibibyte", "kibibytes"]),
    unit("MiB", Data, "1048576", &[], &["mib", "mebibyte", "mebibytes"]),
    unit("GiB", Data, "1073741824", &[], &["gib", "gibibyte", "gibibytes"]),
    unit("TiB", Data, "1099511627776", &[], &["tib", "tebibyte", "tebibytes"]),
    unit("bits", Data, "1/8", &[], &["bit", "bits"]),
    unit("kbit", Data, "125", &[], &["kbit", "kilobit", "kilobits"]),
    unit("Mbit", Data, "125000", &["Mb"], &["mbit", "megabit", "megabits"]),
    unit("Gbit", Data, "125000000", &["Gb"], &["gbit", "gigabit", "gigabits"]),
    unit("B/s", DataRate, "1", &["B/s"], &["bytes per second"]),
    unit("kB/s", DataRate, "1000", &["kB/s", "KB/s"], &["kilobytes per second"]),
    unit("MB/s", DataRate, "1e6", &["MB/s"], &["megabytes per second"]),
    unit("GB/s", DataRate, "1e9", &["GB/s"], &["gigabytes per second"]),
    unit("bit/s", DataRate, "1/8", &["bit/s"], &["bits per second"]),
    unit("kbit/s", DataRate, "125", &["kbit/s"], &["kbps", "kilobits per second"]),
    unit(
        "Mbit/s",
        DataRate,
        "125000",
        &["Mbit/s", "Mbps", "mbps", "Mb/s"],
        &["megabits per second"],
    ),
    unit(
        "Gbit/s",
        DataRate,
        "1.25e8",
        &["Gbit/s", "Gbps", "gbps", "Gb/s"],
        &["gigabits per second"],
    ),
    unit("Pa", Pressure, "1", &["Pa"], &["pascal", "pascals"]),
    unit("hPa", Pressure, "100", &["hPa"], &["hectopascal", "hectopascals"]),
    unit("kPa", Pressure, "1000", &["kPa"], &["kpa", "kilopascal", "kilopascals"]),
    unit("MPa", Pressure, "1000000", &["MPa"], &["megapascal", "megapascals"]),
    unit("bar", Pressure, "100000", &[], &["bar", "bars"]),
    unit("mbar", Pressure, "100", &[], &["mbar", "millibar", "millibars"]),
    unit("atm", Pressure, "101325", &[], &["atm", "atmosphere", "atmospheres"]),
    unit("psi", Pressure, "4.4482216152605/0.00064516", &[], &["psi"]),
    unit("J", Energy, "1", &["J"], &["joule", "joules"]),
    unit("kJ", Energy, "1000", &["kJ", "kj", "KJ"], &["kilojoule", "kilojoules"]),
    unit("kcal", Energy, "4184", &[], &["kcal", "kcals", "kilocalorie", "kilocalories"]),
    unit("Wh", Energy, "3600", &["Wh"], &["watt hour", "watt hours", "watt-hour", "watt-hours"]),
    unit(
        "kWh",
        Energy,
        "3600000",
        &[],
        &["kwh", "kilowatt hour", "kilowatt hours", "kilowatt-hour", "kilowatt-hours"],
    ),
    unit("W", Power, "1", &["W", "w"], &["watt", "watts"]),
    unit("kW", Power, "1000", &["kW", "kw", "KW"], &["kilowatt", "kilowatts"]),
    unit("MW", Power, "1000000", &["MW"], &["megawatt", "megawatts"]),
    unit("GW", Power, "1000000000", &["GW"], &["gigawatt", "gigawatts"]),
    unit("mW", Power, "0.001", &["mW"], &["milliwatt", "milliwatts"]),
    unit("Hz", Frequency, "1", &[], &["hz", "hertz"]),
    unit("kHz", Frequency, "1000", &[], &["khz", "kilohertz"]),
    unit("MHz", Frequency, "1e6", &["MHz", "mhz", "Mhz"], &["megahertz"]),
    unit("GHz", Frequency, "1e9", &[], &["ghz", "gigahertz"]),
];

/// Finds a unit by what was written, once as given and once folded.
pub(super) fn find(written: &str, folded: &str) -> Option<&'static Unit> {
    UNITS
        .iter()
        .find(|unit| unit.exact.contains(&written))
        .or_else(|| UNITS.iter().find(|unit| unit.names.contains(&folded)))
}

/// Whether the spelling leaves bits and bytes open: `mb`.
pub(super) fn is_bit_or_byte(written: &str) -> bool {
    ["kb", "mb", "gb", "tb", "pb"].contains(&written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Number;

    #[test]
    fn no_two_units_share_a_spelling() {
        let mut seen = std::collections::BTreeMap::new();
        for unit in UNITS {
            for name in unit.exact.iter().chain(unit.names) {
                let before = seen.insert(*name, unit.symbol);
                assert!(before.is_none(), "{name}: {before:?} and {}", unit.symbol);
            }
        }
    }

    #[test]
    fn names_are_folded_and_sizes_are_positive_numbers() {
        for unit in UNITS {
            for name in unit.names {
                assert_eq!(*name, name.to_lowercase());
            }
            let size: Number = unit.size.parse().unwrap_or_else(|e| panic!("{}: {e}", unit.size));
            assert!(size > Number::from(0), "{}", unit.symbol);
        }
    }
}
