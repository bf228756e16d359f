"""`suffice lab measure`: is every effect that the tools are about really there in a base?"""
