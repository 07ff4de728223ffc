"""Sans-I/O TCP: RFC 9293's connection, from user calls, segments and time-outs to actions. Standard library only."""
