"""Works out offline how AWS will see a certificate."""
