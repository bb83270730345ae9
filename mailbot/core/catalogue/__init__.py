"""What the vendor sells, read from one TOML file, with every fault in that file.

How customers write it is ``form``'s job; what it costs is ``ledger``'s.
"""
