/// RSA moduli that are known to be factorable, though they are long enough.
enum WeakModulus {
    /// Whether the modulus was made by the library of Infineon's chips that took its primes from a small family
    /// (ROCA, CVE-2017-15361): such a key of 2048 bits is factored for the price of a car, and tokens forged with it.
    ///
    /// Its primes are k·M + (65537^a mod M), where M is the product of the first primes: so the modulus is a power of
    /// 65537 modulo each of them. Of other moduli one in 2^27 is as well.
    ///
    /// - Parameter modulus: big-endian.
    static func isROCA(_ modulus: [UInt8]) -> Bool {
        primes.allSatisfy { prime in
            var rest: UInt32 = 0
            for byte in modulus { rest = (rest << 8 | UInt32(byte)) % prime }
            var power: UInt32 = 1
            repeat {
                if power == rest { return true }
                power = power * (65_537 % prime) % prime
            } while power != 1
            return false
        }
    }

    /// The odd primes of M for the shortest keys; those of longer keys have all of them too.
    private static let primes: [UInt32] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
        113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ]
}
